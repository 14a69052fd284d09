-- Used by both routes. In code, `# @eq-x` becomes the number of that equation; divs of class
-- abstract and result get their form; the date is that of the last commit.

numbers = {}  -- of whatever bears a label
local count = 0

function define(label, number)
  if label ~= "" and numbers[label] then error("label " .. label .. " is defined twice") end
  numbers[label] = number
end

function label_in(inline)
  return inline.t == "Str" and inline.text:match("^{#(eq%-[%w-]+)}")
end

local function count_equation(str)
  local label = label_in(str)
  if label then
    count = count + 1
    define(label, count)
  end
end

local function number_code(block)
  block.text = block.text:gsub("# @(eq%-[%w-]+)", function(label)
    if not numbers[label] then error("code bears label " .. label .. ", but no equation does") end
    return "# (" .. numbers[label] .. ")"
  end)
  if FORMAT ~= "typst" then return block end
  local fence = block.text:match("```") and "`````" or "```"  -- both routes set code by Typst itself
  return pandoc.RawBlock("typst", fence .. (block.classes[1] or "") .. "\n" .. block.text .. "\n" .. fence)
end

-- Comments are for the checker of the derivations; in a notebook, macros have been expanded.
local function drop(block)
  if block.text:match("^<!%-%-") or FORMAT == "ipynb" then return {} end
end

-- Divs that Typst and LaTeX know as a function or an environment of the same name.
local known = { abstract = true, result = true, legend = true, leading = true }
function environment(div)
  local class, before, after = div.classes[1], "#%s[", "]"
  if not known[class] or FORMAT ~= "typst" and FORMAT ~= "latex" then return end
  if FORMAT == "latex" then before, after = "\\begin{%s}", "\\end{%s}" end
  div.content:insert(1, pandoc.RawBlock(FORMAT, before:format(class)))
  div.content:insert(pandoc.RawBlock(FORMAT, after:format(class)))
  return div.content
end

-- In Typst, a sentence stays on the page of the display, result or code that it leads to (which
-- is no float: that goes elsewhere), and what is **Asked.** on that of the answer.
local function is_shown(block)
  local shown = block.t == "CodeBlock" or block.t == "Div" and block.classes:includes("result")
  if block.t == "Div" and block.classes:includes("cell") then
    block:walk({ CodeBlock = function() shown = true end })
  end
  return shown or block.t == "Para" and block.content[1].mathtype == "DisplayMath"
end

local function stick(blocks)
  for i = 1, FORMAT == "typst" and #blocks - 1 or 0 do
    local this = blocks[i]
    if this.t == "Para" and not is_shown(this) then
      local asks = pandoc.utils.stringify(this.content[1]) == "Asked."
      if asks or is_shown(blocks[i + 1]) then blocks[i] = pandoc.Div(this, { class = "leading" }) end
    end
  end
  return blocks
end

-- In a notebook, a cell is its code; what it showed goes below, as Pandoc would lose most of it.
local function split_cells(doc)
  local blocks = pandoc.Blocks({})
  for _, block in ipairs(FORMAT == "ipynb" and doc.blocks or {}) do
    local shown = pandoc.Blocks({ block }):walk({
      CodeBlock = function(code)
        if not code.classes:includes("cell-code") then return end
        blocks:insert(pandoc.Div(code, { class = "cell code" }))
        return {}
      end,
      Div = function(div)
        if (div.classes[1] or ""):match("^cell") then return div.content end
      end,
    })
    blocks:extend(shown)
  end
  if #blocks > 0 then return pandoc.Pandoc(blocks, doc.meta) end
end

-- Pandoc's MathML would have bold italics for \mathbf.
local function upright(math)
  if FORMAT:match("html") then math.text = math.text:gsub("\\mathbf{", "\\textbf{") end
  return math
end

-- Pandoc gives long tables relative column widths; columns as wide as their content read better,
-- but LaTeX would let the longest tables run over the margin.
local function natural_widths(tbl)
  if FORMAT == "latex" and tbl.colspecs[1][2] ~= tbl.colspecs[#tbl.colspecs][2] then return end
  for i, spec in ipairs(tbl.colspecs) do tbl.colspecs[i] = { spec[1], nil } end
  return tbl
end

local function date(meta)
  local git = "git log -1 --format=%cd '--date=format:%-d %B %Y' 2>/dev/null || true"
  local text = pandoc.pipe("sh", { "-c", git }, ""):match("[^\n]+")
  if text then meta["commit-date"], meta.date = pandoc.MetaString(text), pandoc.MetaString(text) end
  return meta
end

return {
  { RawBlock = drop, Str = count_equation, Pandoc = split_cells },
  { Blocks = stick },
  { Math = upright, CodeBlock = number_code, Div = environment, Table = natural_widths, Meta = date },
}
