-- Quarto route only, HTML: after Quarto, as the direct route writes it. The number of an equation
-- stands beside the formula, at the margin, and not within it.
function Math(math)
  local text, number = math.text:match("^(.*)\\qquad(%(%d+%))$")
  return number and pandoc.Span({ pandoc.Math(math.mathtype, text), number }, { class = "equation" })
end

-- A caption begins with its number, in bold; with Quarto it is Figure, no-break space, 1, colon.
function Plain(plain)
  local number = pandoc.utils.stringify({ table.unpack(plain.content, 1, 4) }):match("^(%u%l+\u{a0}%d+):$")
  return number and pandoc.Plain({ pandoc.Strong(number .. "."), table.unpack(plain.content, 5) })
end
