-- Direct route only: what Quarto does with floats, equations and references.

local names = { eq = "Equation", fig = "Figure", tbl = "Table", lst = "Listing", sec = "Section" }
local counts, known = { eq = 0, fig = 0, tbl = 0, lst = 0 }, {}
local typst = FORMAT == "typst"

local function raw(text) return pandoc.RawInline(FORMAT, text) end
local function rawblock(text) return pandoc.RawBlock(FORMAT, text) end

local function written(element)
  local text = pandoc.write(pandoc.Pandoc({ pandoc.Plain({ element }) }), FORMAT)
  return (text:gsub("%s+$", ""))
end

local function define(label)
  local kind = label:match("^(%a+)%-")
  if known[label] then error("label " .. label .. " is defined twice") end
  counts[kind] = counts[kind] + 1
  known[label] = tostring(counts[kind])
  return known[label]
end

local function equation(inlines)
  local out, i = pandoc.Inlines({}), 1
  while i <= #inlines do
    local this, step = inlines[i], 1
    if this.t == "Math" and this.mathtype == "DisplayMath" then
      local next = inlines[i + 1]
      if next and next.t == "Space" then next, step = inlines[i + 2], 2 end
      local label = next and next.t == "Str" and next.text:match("^{#(eq%-[%w-]+)}$")
      if label then
        local number = define(label)
        if typst then
          this = raw('#math.equation(block: true, numbering: "(1)", [' .. written(this) .. "])<" .. label .. ">")
        elseif FORMAT == "latex" then
          this = raw("\\begin{equation}\\label{" .. label .. "}" .. this.text .. "\\end{equation}")
        else
          local span = pandoc.Span({ this, pandoc.Span(pandoc.Str("(" .. number .. ")"), { class = "number" }) })
          span.identifier, span.classes = label, { "equation" }
          this = span
        end
        step = step + 1
      else
        step = 1
      end
    end
    out:insert(this)
    i = i + step
  end
  return out
end

local function float(label, blocks, caption)
  local kind = label:match("^(%a+)%-")
  local number = define(label)
  if typst then
    local position = kind == "fig" and "bottom" or "top"  -- as Quarto does
    local out = pandoc.Blocks({ rawblock("#figure([") })
    out:extend(blocks)
    out:insert(rawblock("], caption: figure.caption(position: " .. position .. ", ["))
    out:extend(caption)
    out:insert(rawblock(']), kind: "quarto-float-' .. kind .. '", supplement: "' .. names[kind] .. '")<' .. label .. ">"))
    return out
  end
  local text = pandoc.Inlines({ pandoc.Strong({ pandoc.Str(names[kind] .. " " .. number .. ".") }), pandoc.Space() })
  text:extend(pandoc.utils.blocks_to_inlines(caption))
  if FORMAT == "latex" then  -- in its place, not floating: captions of our own keep the numbers
    local out = pandoc.Blocks(blocks)
    out:insert(kind == "tbl" and 1 or #out + 1, rawblock("\\begin{legend}\\phantomsection\\label{" .. label .. "}"))
    out:insert(kind == "tbl" and 2 or #out + 1, pandoc.Plain(text))
    out:insert(kind == "tbl" and 3 or #out + 1, rawblock("\\end{legend}"))
    return out
  end
  return { pandoc.Div(pandoc.Figure(blocks, { pandoc.Plain(text) }), { id = label, class = "float" }) }
end

local function image(element)
  local alt = element.attributes["fig-alt"] or pandoc.utils.stringify(element.caption)
  element.attributes["fig-alt"] = nil
  if typst then
    local file = element.src:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end)
    return raw(string.format('#image("%s", alt: "%s")', file, alt:gsub('\\', '\\\\'):gsub('"', '\\"')))
  end
  element.caption = pandoc.Inlines(alt)
  return element
end

local function blocks(all)
  local out = pandoc.Blocks({})
  for _, block in ipairs(all) do
    local label = block.identifier or ""
    if block.t == "Figure" and label:match("^fig%-") then
      local caption = block.caption.long
      block = block:walk({ Image = image })
      out:extend(float(label, block.content, caption))
    elseif block.t == "Table" and label:match("^tbl%-") then
      local caption = block.caption.long
      block.caption, block.identifier = { long = {} }, ""
      out:extend(float(label, { block }, caption))
    elseif block.t == "Div" and not block.classes:includes("float") and names[label:match("^(%a+)%-") or ""] then
      local caption = block.content[#block.content]
      if caption.t ~= "Para" then error("the div #" .. label .. " must end in a paragraph, its caption") end
      block.content:remove(#block.content)
      out:extend(float(label, block.content, { pandoc.Plain(caption.content) }))
    else
      out:insert(block)
    end
  end
  return out
end

-- What this route does not know must not vanish: divs by class, Quarto's shortcodes.
local divs = { abstract = true, result = true, float = true, refs = true, sourceCode = true }
local function known_div(div)
  for _, class in ipairs(div.classes) do
    if not divs[class] and not class:match("^csl%-") then
      error("div of class " .. class .. " is outside the dialect of the direct route")
    end
  end
end

local function shortcode(str)
  if str.text:match("{{<") then error("shortcodes are outside the dialect of the direct route") end
end

local sections = {}
local function header(element)
  if element.level > 2 or element.classes:includes("unnumbered") then return end
  sections[element.level] = (sections[element.level] or 0) + 1
  if element.level == 1 then sections[2] = 0 end
  known[element.identifier] = table.concat(sections, ".", 1, element.level)
end

-- In HTML, code of chunks folds and headings bear their numbers.
local function fold(block)
  if FORMAT:match("html") and block.classes:includes("python") then
    return { pandoc.RawBlock("html", "<details><summary>Code</summary>"), block, pandoc.RawBlock("html", "</details>") }
  end
end

local function numbered(element)
  local number = known[element.identifier]
  if FORMAT:match("html") and number then
    element.content:insert(1, pandoc.Space())
    element.content:insert(1, pandoc.Str(number))
    return element
  end
end

local function reference(cite)
  local id = cite.citations[1].id
  local kind = id:match("^(%a+)%-")
  if not names[kind] then return end
  local alone = cite.citations[1].mode == "SuppressAuthor"  -- [-@eq-x]: the number alone
  if #cite.citations > 1 or not alone and cite.citations[1].mode ~= "AuthorInText" then
    error("write one reference at a time, as @" .. id .. " or, for its number alone, [-@" .. id .. "]")
  end
  if not known[id] then error("reference to @" .. id .. ", which no " .. names[kind] .. " bears") end
  local name = alone and "" or names[kind]
  if typst then return raw("#ref(<" .. id .. ">, supplement: [" .. name .. "])") end
  return pandoc.Link(name .. (alone and "" or "\u{a0}") .. known[id], "#" .. id)
end

return {
  { traverse = "topdown", Header = header, Div = known_div, Str = shortcode, Inlines = equation, Blocks = blocks },
  { Cite = reference, CodeBlock = fold, Header = numbered },
}
