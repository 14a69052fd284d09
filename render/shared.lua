-- Used by both routes. In code, `# @eq-x` becomes the number of that equation; divs of class
-- abstract and result get their form; the date is that of the last commit.

local labels, numbers = {}, {}

local function scan(inlines)
  for i, inline in ipairs(inlines) do
    if inline.t == "Math" and inline.mathtype == "DisplayMath" then
      local after = inlines[i + 1]
      if after and after.t == "Space" then after = inlines[i + 2] end
      local label = after and after.t == "Str" and after.text:match("^{#(eq%-[%w-]+)}")
      if label then
        table.insert(labels, label)
        numbers[label] = #labels
      end
    end
  end
end

local function number_code(block)
  block.text = block.text:gsub("# @(eq%-[%w-]+)", function(label)
    if not numbers[label] then
      error("code refers to @" .. label .. ", but no equation bears this label")
    end
    return "# (" .. numbers[label] .. ")"
  end)
  if FORMAT == "typst" then  -- both routes set code alike: by Typst itself
    local fence = block.text:match("```") and "`````" or "```"
    return pandoc.RawBlock("typst", fence .. (block.classes[1] or "") .. "\n" .. block.text .. "\n" .. fence)
  end
  return block
end

local function wrap(div, before, after)
  local format = FORMAT:match("latex") and "latex" or FORMAT
  local blocks = pandoc.Blocks({ pandoc.RawBlock(format, before) })
  blocks:extend(div.content)
  blocks:insert(pandoc.RawBlock(format, after))
  return blocks
end

local function shape(div)
  if div.classes:includes("abstract") then
    if FORMAT == "typst" then return wrap(div, "#abstract[", "]\n#contents()") end
    if FORMAT:match("latex") then
      return wrap(div, "\\begin{abstract}", "\\end{abstract}\n\\tableofcontents")
    end
  elseif div.classes:includes("result") then
    if FORMAT == "typst" then return wrap(div, "#result[", "]") end
    if FORMAT:match("latex") then return wrap(div, "\\begin{result}", "\\end{result}") end
  end
end

local function shows_code(div)  -- and is no float, which goes elsewhere
  local found = false
  div:walk({ CodeBlock = function() found = true end })
  return found and div.classes:includes("cell")
end

-- In Typst, a sentence stays on the page of the display, result or listing that it leads to.
local function leads_to(block)
  if block.t == "CodeBlock" then return true end
  if block.t == "Div" then return block.classes:includes("result") or shows_code(block) end
  local first = block.t == "Para" and block.content[1]
  return first and first.t == "Math" and first.mathtype == "DisplayMath"
end

local function asks(para)  -- **Asked.** stays with the answer
  return pandoc.utils.stringify(para.content[1]) == "Asked."
end

local function stick(blocks)
  if FORMAT ~= "typst" then return end
  local out = pandoc.Blocks({})
  for i, block in ipairs(blocks) do
    local next = blocks[i + 1]
    if next and next.t == "RawBlock" and next.format == "html" then next = blocks[i + 2] end  -- a comment
    if block.t == "Para" and next and (asks(block) or leads_to(next)) and not leads_to(block) then
      out:insert(pandoc.RawBlock("typst", "#leading["))
      out:insert(block)
      out:insert(pandoc.RawBlock("typst", "]"))
    else
      out:insert(block)
    end
  end
  return out
end

-- Pandoc's MathML has bold italics for \mathbf; the characters themselves stay upright.
local function bold(math)
  if not FORMAT:match("html") then return end
  math.text = math.text:gsub("\\mathbf{(%w)}", function(c)
    local first = c:match("%d") and 0x1D7CE - 48 or c:match("%u") and 0x1D400 - 65 or 0x1D41A - 97
    return utf8.char(first + c:byte())
  end)
  return math
end

-- Pandoc gives long tables relative column widths; columns as wide as their content read better,
-- but LaTeX would let the longest tables run over the margin.
local function natural_widths(tbl)
  if FORMAT:match("latex") and tbl.colspecs[1][2] ~= tbl.colspecs[#tbl.colspecs][2] then return end
  for i, spec in ipairs(tbl.colspecs) do tbl.colspecs[i] = { spec[1], nil } end
  return tbl
end

local function date(meta)
  local pipe = io.popen("git log -1 --format=%cd '--date=format:%-d %B %Y' 2>/dev/null")
  local text = pipe and pipe:read("l")
  if pipe then pipe:close() end
  if text and text ~= "" then meta["commit-date"], meta.date = pandoc.MetaString(text), pandoc.MetaString(text) end
  return meta
end

return {
  { Inlines = scan },
  { Blocks = stick },
  { Math = bold, CodeBlock = number_code, Div = shape, Table = natural_widths, Meta = date },
}
