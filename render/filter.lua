-- Direct route only: what Quarto does with headings, equations, floats and references.

local filters = dofile(pandoc.path.directory(PANDOC_SCRIPT_FILE) .. "/shared.lua")
local names = { eq = "Equation", fig = "Figure", tbl = "Table", lst = "Listing", sec = "Section" }
local counts, sections = { fig = 0, tbl = 0, lst = 0 }, { 0, 0 }
local html, typst = FORMAT:match("html"), FORMAT == "typst"

local function header(element)
  local level = element.level
  if level > 2 or element.classes:includes("unnumbered") then return end
  sections[level] = sections[level] + 1
  if level == 1 then sections[2] = 0 end
  local number = table.concat(sections, ".", 1, level)
  define(element.identifier, number)
  if html or FORMAT == "ipynb" then
    element.content = pandoc.Inlines(number .. " ") .. element.content
    return element
  end
end

local function equation(math, label)
  if typst then
    local before, after = '#math.equation(block: true, numbering: "(1)", [', "])<" .. label .. ">"
    return pandoc.Span({ pandoc.RawInline("typst", before), math, pandoc.RawInline("typst", after) })
  elseif html then
    return pandoc.Span({ math, pandoc.Str("(" .. numbers[label] .. ")") }, { id = label, class = "equation" })
  end
  math.text = math.text .. "\\tag{" .. numbers[label] .. "}"
  return pandoc.Span({ math }, { id = label })
end

local function equations(inlines)
  for i = #inlines, 2, -1 do
    local label = inlines[i] and label_in(inlines[i])
    if label then
      local at = inlines[i - 1].t == "Math" and i - 1 or i - 2
      if inlines[at].mathtype ~= "DisplayMath" then error("label " .. label .. " follows no display") end
      inlines[at] = equation(inlines[at], label)
      for _ = at + 1, i do inlines:remove(at + 1) end
    end
  end
  return inlines
end

-- A table with a caption, or a div that ends in one.
local function float(block)
  local label, content, caption = block.identifier, block.content, nil
  local kind = label:match("^%a+")
  if not counts[kind] then return end
  counts[kind] = counts[kind] + 1
  define(label, counts[kind])
  if block.t == "Table" then
    caption = pandoc.utils.blocks_to_inlines(block.caption.long)
    block.caption, block.identifier = { long = {} }, ""
    content = pandoc.Blocks({ block })
  else
    caption = content:remove().content
  end
  local top = kind ~= "fig"  -- captions stand where Quarto sets them
  if typst then
    local middle = "], caption: figure.caption(position: %s, ["
    local after = ']), kind: "quarto-float-%s", supplement: "%s")<%s>'
    content:insert(1, pandoc.RawBlock("typst", "#figure(["))
    content:insert(pandoc.RawBlock("typst", middle:format(top and "top" or "bottom")))
    content:insert(pandoc.Plain(caption))
    content:insert(pandoc.RawBlock("typst", after:format(kind, names[kind], label)))
    return content, false
  end
  local number = pandoc.Strong(names[kind] .. " " .. counts[kind] .. ".")
  local legend = pandoc.Plain(pandoc.Inlines({ number, pandoc.Space() }) .. caption)
  content:insert(top and 1 or #content + 1, pandoc.Div(legend, { class = "legend" }))
  return pandoc.Div(content, { id = label, class = "float", role = "figure" }), false
end

local function image(element)
  local alt = element.attributes["fig-alt"] or ""
  element.caption, element.attributes["fig-alt"] = pandoc.Inlines(alt), nil
  if not typst then return element end
  local file = element.src:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end)
  file = pandoc.path.join({ pandoc.system.get_working_directory(), file })
  return pandoc.RawInline("typst", string.format('#image("%s", alt: %q)', file, alt))
end

local function reference(cite)
  local id, mode = cite.citations[1].id, cite.citations[1].mode
  local name = names[id:match("^(%a+)%-")]
  if not name then return end
  if #cite.citations > 1 or mode == "NormalCitation" then
    error("write one reference at a time, as @" .. id .. " or, for the number alone, [-@" .. id .. "]")
  end
  if not numbers[id] then error("reference to @" .. id .. ", which no " .. name .. " bears") end
  return pandoc.Link((mode == "AuthorInText" and name .. "\u{a0}" or "") .. numbers[id], "#" .. id)
end

local function fold(block)
  if html and block.classes:includes("cell-code") then
    return { pandoc.RawBlock("html", "<details><summary>Code</summary>"), block, pandoc.RawBlock("html", "</details>") }
  end
end

table.insert(filters, { traverse = "topdown", Header = header, Div = float, Table = float })
table.insert(filters, { Inlines = equations, Image = image, Cite = reference, CodeBlock = fold, Div = environment })
return filters
