-- Direct route only: what Quarto does with headings, equations, floats and references.

local filters = dofile(pandoc.path.directory(PANDOC_SCRIPT_FILE) .. "/shared.lua")
local names = { eq = "Equation", fig = "Figure", tbl = "Table", lst = "Listing", sec = "Section" }
local theorems = { thm = "Theorem", lem = "Lemma", cor = "Corollary", prp = "Proposition",
  cnj = "Conjecture", def = "Definition", exm = "Example", exr = "Exercise" }
local callouts = { note = "0758E5", tip = "00A047", warning = "EB9113", caution = "FC5300", important = "CC1914" }
local environments = { fig = "figure", lst = "codelisting" }  -- of LaTeX
local counts, proven, sections = { fig = 0, tbl = 0, lst = 0 }, {}, { 0, 0 }
local html, typst, latex = FORMAT:match("html"), FORMAT == "typst", FORMAT == "latex"

local function raw(format, ...) return pandoc.Inlines(pandoc.RawInline(FORMAT, format:format(...))) end

-- A caption and an image that stand alone are a figure, as a div that ends in its caption.
local function figure(paragraph)
  local image = paragraph.content[1]
  if #paragraph.content > 1 or image.t ~= "Image" or image.identifier == "" then return end
  local label, caption = image.identifier, image.caption
  image.identifier, image.caption = "", {}
  return pandoc.Div({ pandoc.Para(image), pandoc.Para(caption) }, { id = label })
end

local breaks = { typst = "#pagebreak()", latex = "\\newpage{}", html = '<div style="page-break-after: always;"></div>' }
local function page_break(paragraph)
  if pandoc.utils.stringify(paragraph) ~= "{{< pagebreak >}}" then return end
  local written = breaks[html and "html" or FORMAT]
  return written and pandoc.RawBlock(FORMAT, written) or {}
end

-- The heading that a div begins with, or its title.
local function title_of(div)
  local first = div.content[1]
  if first and first.t == "Header" then return div.content:remove(1).content end
  local title = div.attributes.title
  return title and pandoc.utils.blocks_to_inlines(pandoc.read(title, "markdown").blocks)
end

local function callout(div)
  local kind = (div.classes[1] or ""):match("^callout%-(%l+)$")
  if not kind then return end
  local title = title_of(div) or pandoc.Inlines(kind:sub(1, 1):upper() .. kind:sub(2))
  local colour = callouts[kind]
  if typst then
    local before, between = raw("#callout(title: ["), raw('], icon_color: rgb("#%s"), body: [', colour)
    return pandoc.Blocks(pandoc.Plain(before .. title .. between)) .. div.content .. { pandoc.Plain(raw("])")) }
  elseif latex then
    local before = raw("\\begin{callout}{%s}{", colour)
    return pandoc.Blocks(pandoc.Plain(before .. title .. raw("}"))) .. div.content .. { pandoc.Plain(raw("\\end{callout}")) }
  elseif html then
    local head = pandoc.Div(pandoc.Plain(title), { class = "callout-header" })
    return pandoc.Div({ head, pandoc.Div(div.content, { class = "callout-body" }) }, { class = "callout callout-" .. kind })
  end
  return pandoc.BlockQuote(pandoc.Blocks(pandoc.Para(pandoc.Strong(title))) .. div.content)
end

local function begin_with(inlines, blocks)
  if not blocks[1] or blocks[1].t ~= "Para" then blocks:insert(1, pandoc.Para({})) end
  blocks[1].content = inlines .. blocks[1].content
  return blocks
end

local function proof(div)
  if not div.classes:includes("proof") then return end
  if latex then
    return pandoc.Blocks(pandoc.RawBlock(FORMAT, "\\begin{proof}")) .. div.content .. { pandoc.RawBlock(FORMAT, "\\end{proof}") }
  end
  return pandoc.Div(begin_with(pandoc.Inlines({ pandoc.Emph("Proof"), ".", pandoc.Space() }), div.content), { class = "proof" })
end

local function theorem(div)
  local label = div.identifier
  local kind = label:match("^(%l+)%-")
  local name = theorems[kind]
  if not name then return end
  proven[kind] = (proven[kind] or 0) + 1
  define(label, proven[kind])
  local title = title_of(div)
  if latex then
    local before = raw("\\begin{%s}", name:lower())
    if title then before = before .. raw("[{") .. title .. raw("}]") end
    local after = pandoc.RawBlock(FORMAT, "\\end{" .. name:lower() .. "}")
    return pandoc.Blocks(pandoc.Plain(before .. raw("\\label{%s}", label))) .. div.content .. { after }
  end
  local number = pandoc.Inlines(name .. " " .. proven[kind])
  if title then number = number .. pandoc.Inlines(" (") .. title .. { pandoc.Str(")") } end
  if typst then number:insert(pandoc.Str(".")) end
  return pandoc.Div(begin_with(pandoc.Inlines({ pandoc.Strong(number), pandoc.Space() }), div.content), { id = label, class = "theorem" })
end

local function header(element)
  local level = element.level
  if level > 2 or element.classes:includes("unnumbered") then return end
  sections[level] = sections[level] + 1
  if level == 1 then sections[2] = 0 end
  local number = table.concat(sections, ".", 1, level)
  define(element.identifier, number)
  if not typst and not latex then element.content:insert(1, number .. " ") end
  return element
end

local function equation(math, label)
  if typst then
    return pandoc.Span(raw('#math.equation(block: true, numbering: "(1)", [') .. { math } .. raw("])<%s>", label))
  elseif html then
    return pandoc.Span({ math, "(" .. numbers[label] .. ")" }, { id = label, class = "equation" })
  elseif latex then
    return pandoc.Span(raw("\\begin{equation}\\protect\\phantomsection\\label{%s}{%s}\\end{equation}", label, math.text))
  end
  math.text = math.text .. "\\tag{" .. numbers[label] .. "}"
  return pandoc.Span(math, { id = label })
end

local function equations(inlines)
  for i, inline in ipairs(inlines) do
    local label, at = label_in(inline), i - 1
    if label then
      if at > 1 and inlines[at].t ~= "Math" then at = at - 1 end  -- a space between
      if at < 1 or inlines[at].mathtype ~= "DisplayMath" then fail("label " .. label .. " follows no display") end
      inlines[at], inlines[i] = equation(inlines[at], label), pandoc.Str("")
    end
  end
  return inlines
end

-- A float in each format; captions stand where Quarto sets them.
local function typst_float(kind, label, content, caption)
  local position = kind == "fig" and "bottom" or "top"
  local before = raw("], caption: figure.caption(position: %s, [", position)
  local after = raw(']), kind: "quarto-float-%s", supplement: "%s")<%s>', kind, names[kind], label)
  return pandoc.Blocks(pandoc.Plain(raw("#figure(["))) .. content .. { pandoc.Plain(before .. caption .. after) }
end

local function latex_float(kind, label, content, caption)
  if kind == "tbl" then  -- within the table
    content[1].caption = { long = { pandoc.Plain(raw("\\label{%s}", label) .. caption) } }
    return content
  end
  local before, after = raw("\\begin{%s}", environments[kind]), raw("\\end{%s}", environments[kind])
  caption = pandoc.Plain(raw("\\caption{\\label{%s}", label) .. caption .. raw("}"))
  content:insert(kind == "fig" and #content + 1 or 1, caption)
  return pandoc.Blocks(pandoc.Plain(before .. raw("\\centering"))) .. content .. { pandoc.Plain(after) }
end

local function other_float(kind, label, content, caption)
  local number = pandoc.Strong(names[kind] .. " " .. counts[kind] .. ".")
  local legend = pandoc.Plain(pandoc.Inlines({ number, pandoc.Space() }) .. caption)
  content:insert(kind == "fig" and #content + 1 or 1, pandoc.Div(legend, { class = "legend" }))
  return pandoc.Div(content, { id = label, class = "float", role = "figure" })
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
    content = pandoc.Blocks(block)
  else
    caption = (content:remove() or {}).content
  end
  if pandoc.utils.type(caption) ~= "Inlines" then fail("label " .. label .. " does not end in a caption: one paragraph") end
  local write = typst and typst_float or latex and latex_float or other_float
  return write(kind, label, content, caption), false
end

local function image(element)
  local alt = element.attributes["fig-alt"] or ""
  element.caption, element.attributes["fig-alt"] = pandoc.Inlines(alt), nil
  if element.identifier ~= "" then fail(element.identifier .. ": an image with a caption stands alone, in a paragraph of its own") end
  if not typst then return element end
  local file = element.src:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end)
  file = pandoc.path.join({ pandoc.system.get_working_directory(), file })
  local width = element.attributes.width
  if width then width = width:gsub("^([%d.]+)px$", function(pixels) return 0.75 * pixels .. "pt" end) end
  return raw('#box(image("%s", alt: %q, width: %s))', file, alt, width or "auto")
end

local function reference(cite)
  local id, mode = cite.citations[1].id, cite.citations[1].mode
  local kind = id:match("^(%a+)%-")
  local name = names[kind] or theorems[kind]
  if not name then return end
  if #cite.citations > 1 or #cite.citations[1].prefix > 0 or mode == "NormalCitation" then
    fail("write @" .. id .. " or, for the number alone, [-@" .. id .. "]")
  end
  if not numbers[id] then fail("reference to @" .. id .. ", which no numbered " .. name .. " bears") end
  return pandoc.Link((mode == "AuthorInText" and name .. "\u{a0}" or "") .. numbers[id], "#" .. id)
end

local function fold(block)
  if not html or not block.classes:includes("cell-code") then return end
  return { pandoc.RawBlock("html", "<details><summary>Code</summary>"), block, pandoc.RawBlock("html", "</details>") }
end

table.insert(filters, 1, { Para = function(each) return figure(each) or page_break(each) end })
table.insert(filters, { Div = function(each) return callout(each) or theorem(each) or proof(each) end })
table.insert(filters, { traverse = "topdown", Header = header, Div = float, Table = float })
table.insert(filters, { Inlines = equations, Image = image, Cite = reference, CodeBlock = fold, Div = environment })
return filters
