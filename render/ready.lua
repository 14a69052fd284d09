-- What Quarto runs before it renders, by its own Lua: is there a Python with all that the report
-- needs, and is there anything in the report that need not be waited for?

local python = os.getenv("QUARTO_PYTHON") or ".venv/bin/python"
local quiet = package.config:sub(1, 1) == "\\" and " >NUL 2>&1" or " >/dev/null 2>&1"

local function runs(command) return os.execute(command) == true end

if not runs(('"%s" -c "import ipykernel, nbclient, numpy, matplotlib"%s'):format(python, quiet)) then
  io.stderr:write(([[
ERROR: there is no Python for this report yet: %s.
Get ready once, by `make report` or, without rendering, by `make .venv/requirements.stamp`; it needs
Python >= 3.11 and make, and installs the pinned requirements into .venv. Then run Quarto again.
]]):format(python))
  os.exit(1)
end

for input in (os.getenv("QUARTO_PROJECT_INPUT_FILES") or ""):gmatch("[^\n]+") do
  if not runs(('"%s" -m render.check "%s"'):format(python, input)) then os.exit(1) end
end
