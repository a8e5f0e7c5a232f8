import { readFileSync, writeFileSync } from 'node:fs';

// Loaded into a child with `-r`: writes the most memory the process ever held (KiB) to BENCH_PEAK_FILE when it ends. Not
// getrusage(2): its figure begins with what the parent held when it started the child.
const file = process.env['BENCH_PEAK_FILE'];
if (file !== undefined) {
  process.on('exit', () => {
    writeFileSync(file, /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '');
  });
}
