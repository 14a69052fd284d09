-- Both routes, last: Pandoc writes the old name of a symbol that Typst has given a new one.
function Math(math)
  if FORMAT ~= "typst" or not math.text:match("\\odot") then return end
  local written = pandoc.write(pandoc.Pandoc(pandoc.Plain(math)), "typst")
  return pandoc.RawInline("typst", (written:gsub("dot%.circle", "dot.o"):gsub("%s+$", "")))
end
