-- Argument 1: a body to POST; each NUMBER in it becomes the request's own. Prints one line that Python reads.
function init(args)
    local body, count = args[1], 0
    if body then
        function request()
            count = count + 1
            return wrk.format("POST", nil, nil, (body:gsub("NUMBER", tostring(count))))
        end
    end
end

function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format("measured %d %d %d %d %d %d\n", summary.requests, summary.duration,
        latency:percentile(50), latency:percentile(99), errors.status,
        errors.connect + errors.read + errors.write + errors.timeout))
end
