-- Quarto only warns of references, citations and images that it does not find; this stops it.

local function missing(name)
  io.stderr:write("ERROR: " .. name .. " is nowhere defined\n")
  os.exit(1)
end

local function reference(strong)
  local label = pandoc.utils.stringify(strong):match("^%?(@.+)")
  if label then missing(label) end
end

local function image(element)
  if not element.src:match("^data:") and not io.open(element.src) then missing(element.src) end
end

local function citations(doc)
  local known = pandoc.utils.references(doc):map(function(entry) return entry.id end)
  local function citation(cite)
    for _, each in ipairs(cite.citations) do
      if not known:includes(each.id) then missing("@" .. each.id) end
    end
  end
  doc:walk({ Cite = citation })
end

return { { Strong = reference, Image = image, Pandoc = citations } }
