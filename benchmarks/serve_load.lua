-- What wrk sends: 28x28 digits as JSON, one after the other; each answer is counted by its status.
local bodies = {}
for line in io.lines(os.getenv("INKGRAD_BODIES")) do bodies[#bodies + 1] = line end
local at, threads = 0, {}
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"

function setup(thread) table.insert(threads, thread) end

function init(args) answered, refused, others = 0, 0, 0 end

function request()
  at = at % #bodies + 1
  return wrk.format(nil, nil, nil, bodies[at])
end

function response(status)
  if status == 200 then answered = answered + 1
  elseif status == 503 then refused = refused + 1
  else others = others + 1 end
end

function done(summary, latency)
  local answered, refused, others = 0, 0, 0
  for _, thread in ipairs(threads) do
    answered, refused = answered + thread:get("answered"), refused + thread:get("refused")
    others = others + thread:get("others")
  end
  local errors = summary.errors
  io.write(string.format(
    '{"seconds": %.3f, "answered": %d, "refused": %d, "others": %d, "lost": %d, "p50_ms": %.2f, "p99_ms": %.2f, "max_ms": %.2f}\n',
    summary.duration / 1e6, answered, refused, others, errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3))
end
