'use strict';
const { readFileSync, writeFileSync } = require('node:fs');
const { isMainThread } = require('node:worker_threads');

// Loaded into a child with `-r`: writes to BENCH_COSTS_FILE, when it ends, the most memory the process ever held (KiB) and
// the processor time of all its threads (microseconds), those of programs it started not included. The memory is not
// getrusage(2)'s: that begins with what the parent held when it started the child.
const file = process.env['BENCH_COSTS_FILE'];
if (file !== undefined && isMainThread) {
  process.on('exit', () => {
    const peakKiB = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    const { user, system } = process.cpuUsage();
    writeFileSync(file, JSON.stringify({ peakKiB: Number(peakKiB), cpuMicros: user + system }));
  });
}
