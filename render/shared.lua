-- Used by both routes. In code, `# @eq-x` becomes the number of that equation; divs of class
-- abstract and result get their form; what the front matter says reaches each format.

numbers = {}  -- of whatever bears a label
local typst, latex, notebook = FORMAT == "typst", FORMAT == "latex", FORMAT == "ipynb"
local count = 0

function fail(message)  -- Quarto would survive an error()
  io.stderr:write("ERROR: " .. message .. "\n")
  os.exit(1)
end

function define(label, number)
  if label ~= "" and numbers[label] then fail("label " .. label .. " is defined twice") end
  numbers[label] = number
end

function label_in(inline)
  return inline.t == "Str" and inline.text:match("^{#(eq%-[%w_-]+)}$")
end

-- What stands for other formats goes before anything is counted; Quarto counts it not, either.
local ours = latex and "pdf" or FORMAT:match("html") or FORMAT
local function is_meant(behavior, condition, format)
  return (behavior == "content-visible") == ((condition == "when-format") == (format == ours))
end

local function choose(element)
  local behavior = element.classes:find_if(function(class) return class:match("^content%-") end)
  if not behavior then return end
  local condition, format = table.unpack(element.attributes[1])
  return is_meant(behavior, condition, format) and element.content or {}
end

local function choose_for_quarto(block)
  local condition, formats = next(block.condition)
  if not is_meant(block.behavior, condition, formats[1]) then return {} end
end

local function count_equation(str)
  if not label_in(str) then return end
  count = count + 1
  define(label_in(str), count)
end

-- In a notebook, a cell is its code; what it showed goes below, as Pandoc would lose most of it.
local function open_cell(div)
  if notebook and (div.classes[1] or ""):match("^cell") then return div.content end
  local float = div.identifier:match("^fig%-") or div.identifier:match("^tbl%-")
  if not latex or float or not div.classes:includes("cell") then return end
  div.identifier = ""  -- a label would begin a paragraph above the code
  return div
end

local function code_cell(block)
  if notebook and block.classes:includes("cell-code") then
    return pandoc.Div(block, { class = "cell code" })
  end
end

-- Viewers of notebooks show no attached SVG, but one that is part of the text.
local function embed(image)
  if not notebook then return end
  image.src = pandoc.mediabag.make_data_uri(pandoc.mediabag.fetch(image.src))
  return image
end

-- Comments are for the checker of the derivations; in a notebook, macros have been expanded.
local function drop(block)
  if notebook or block.text:match("^<!%-%-") then return {} end
end

-- On paper, a sentence stays on the page of the display, result, table or code that it leads to
-- (which is no float: that goes elsewhere), and what is **Asked.** on that of the answer.
local function is_shown(block)
  while block.t == "Div" and (block.classes[1] or ""):match("^cell") and block.content[1] do
    block = block.content[1]
  end
  if block.t == "Para" then return block.content[1].mathtype == "DisplayMath" end
  if block.t == "Table" then return block.identifier == "" end
  return block.t == "CodeBlock" or block.t == "Div" and block.classes:includes("result")
end

local function stick(blocks)
  for i = 1, (typst or latex) and #blocks - 1 or 0 do
    local this = blocks[i]
    if this.t == "Para" and not is_shown(this) then
      local asks = pandoc.utils.stringify(this.content[1]) == "Asked."
      if asks or is_shown(blocks[i + 1]) then blocks[i] = pandoc.Div(this, { class = "leading" }) end
    end
  end
  return blocks
end

-- A figure, table or listing; Quarto makes each a node of its own, within what a cell has shown.
local kinds = { fig = true, tbl = true, lst = true }
local function is_float(block)
  if kinds[(block.identifier or ""):match("^(%l+)%-")] then return true end
  if block.t ~= "Div" then return false end
  if block.attributes.__quarto_custom_type == "FloatRefTarget" then return true end
  return (block.classes[1] or ""):match("^cell") and block.content:find_if(is_float) ~= nil
end

local function is_break(block)  -- of a page, which no block can have within
  if block.t == "RawBlock" then return block.text:match("page") end
  local first = block.t == "Para" and #block.content == 1 and block.content[1]
  return first and first.t == "Span" and first.attributes.__quarto_custom_type == "Shortcode"
end

local function has_image(block)
  local found = false
  block:walk({ Image = function() found = true end })
  return found
end

local function lines_of(blocks)  -- about as many as in print
  local count = 0
  for _, block in ipairs(blocks) do
    if block.t == "Div" then
      count = count + lines_of(block.content)
    elseif block.t == "Table" then
      count = count + 1 + #block.bodies[1].body + lines_of(block.caption.long)
    else
      local _, breaks = (block.text or ""):gsub("\n", "")
      count = count + 1 + 0.8 * breaks + #pandoc.utils.stringify(block) // 90
    end
  end
  return count
end

-- What follows a float in its section goes with it, as far as the next one: if the float has to
-- wait for the next page, this fills the rest of the page. Where too little follows, tables and
-- listings stay, and may break.
local function sink(doc)
  if not typst and not latex then return end
  local blocks, floats, rest = pandoc.Blocks({}), nil, nil
  local function close()
    if not floats then return end
    local function waits(float) return has_image(float) or lines_of({ float }) < lines_of(rest) + 10 end
    if floats:find_if(waits) then
      blocks:insert(pandoc.Div(floats .. rest, { class = "sinking" }))
    else
      blocks:insert(pandoc.Div(floats, { class = "staying" }))
      blocks:extend(rest)
    end
    floats = nil
  end
  for _, block in ipairs(doc.blocks) do
    local float = is_float(block)
    if block.t == "Header" or is_break(block) or float and floats and #rest > 0 then close() end
    if float and not floats then floats, rest = pandoc.Blocks({}), pandoc.Blocks({}) end
    local target = float and floats or floats and rest or blocks
    target:insert(block)
  end
  close()
  doc.blocks = blocks
  return doc
end

-- Pandoc's MathML would have bold italics for \mathbf, and browsers tiny primes.
local function upright(math)
  if FORMAT:match("html") then math.text = math.text:gsub("\\mathbf{", "\\textbf{"):gsub("'(%A)", "\\prime %1") end
  return math
end

local function number_code(block)
  block.text = block.text:gsub("# @(eq%-[%w-]+)", function(label)
    return "# (" .. (numbers[label] or fail("no equation bears label " .. label)) .. ")"
  end)
  local _, lines = block.text:gsub("\n", "")
  if latex and lines >= 12 then
    return { pandoc.RawBlock("latex", "\\begin{longcode}"), block, pandoc.RawBlock("latex", "\\end{longcode}") }
  end
  if not typst then return block end
  local fence = block.text:match("```") and "`````" or "```"  -- both routes set code by Typst itself
  return pandoc.RawBlock("typst", fence .. (block.classes[1] or "") .. "\n" .. block.text .. "\n" .. fence)
end

-- Divs that Typst and LaTeX know as a function or an environment of the same name.
local known = { abstract = true, result = true, leading = true, sinking = true, staying = true, marginal = true }
function environment(div)
  local class = div.classes[1]
  if not known[class] or not (typst or latex) then return end
  local before, after = "\\begin{" .. class .. "}", "\\end{" .. class .. "}"
  if typst then before, after = "#" .. class .. "[", "]" end
  return pandoc.Blocks(pandoc.RawBlock(FORMAT, before)) .. div.content .. { pandoc.RawBlock(FORMAT, after) }
end

-- Pandoc gives long tables relative column widths; columns as wide as their content read better.
local function natural_widths(tbl)
  for i, spec in ipairs(tbl.colspecs) do tbl.colspecs[i] = { spec[1], nil } end
  return tbl
end

-- An abstract of the front matter is one of the text.
local function move_abstract(doc)
  local abstract = doc.meta.abstract
  if not abstract then return end
  doc.meta.abstract = nil
  local blocks = pandoc.utils.type(abstract) == "Blocks" and abstract or { pandoc.Para(abstract) }
  doc.blocks:insert(1, pandoc.Div(blocks, { class = "abstract" }))
  return doc
end

-- Without a date, a document has that of the last commit.
local function date(meta)
  local git = "git log -1 --format=%cd '--date=format:%-d %B %Y' 2>/dev/null || true"
  local text = not meta.date and pandoc.pipe("sh", { "-c", git }, ""):match("[^\n]+")
  if text then meta.date = pandoc.MetaString(text) end
end

-- Text without markup, for running heads and for what a file says of itself: in Typst, a string.
local function plain(inlines)
  local text = pandoc.utils.stringify(inlines)
  if typst then return pandoc.Inlines(pandoc.RawInline("typst", ("%q"):format(text))) end
  local escaped = pandoc.write(pandoc.Pandoc(pandoc.Plain(pandoc.Str(text))), "latex-smart")
  return pandoc.Inlines(pandoc.RawInline("latex", escaped))
end

-- Typst and LaTeX have other names for the same paper and margins.
local papers = { typst = { letter = "us-letter" }, latex = { ["us-letter"] = "letter" } }
local margins = { x = "hmargin", y = "vmargin" }
local function page(meta)
  local paper = meta.papersize and pandoc.utils.stringify(meta.papersize)
  local renamed = (papers[FORMAT] or {})[paper]
  if renamed then meta.papersize = pandoc.MetaString(renamed) end
  if latex and meta.margin then
    meta.geometry = pandoc.List()
    for side, width in pairs(meta.margin) do
      meta.geometry:insert((margins[side] or side) .. "=" .. pandoc.utils.stringify(width))
    end
  end
end

local function front(meta)
  date(meta)
  page(meta)
  if typst then
    meta["plain-title"] = plain(meta.title or "")
    meta["plain-author"] = pandoc.List(meta.author or {}):map(plain)
  elseif latex and meta.title then
    meta["title-meta"] = plain(meta.title)
  end
  return meta
end

return {
  { Div = choose, Span = choose, ConditionalBlock = choose_for_quarto },
  { Pandoc = move_abstract },
  { RawBlock = drop, Str = count_equation, Div = open_cell },
  { Blocks = stick, CodeBlock = code_cell, Image = embed, Pandoc = sink },
  { Math = upright, CodeBlock = number_code, Div = environment, Table = natural_widths, Meta = front },
}
