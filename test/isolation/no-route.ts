import { OperatorError, runMain } from '../../support/failure';
import { type ProofLine, proveBoundary } from './proof';

const help = `Usage: npm run isolation -- [--json]

Tries every known way to production in a network namespace without a route out (root on Linux), and prints what was seen.

Examples:
  npm run isolation
  npm run --silent isolation -- --json

Exit code: 0 the boundary holds, 1 it does not, 2 wrong arguments.`;

/** Proves the boundary in a network namespace without a route out and prints what was proved. */
runMain(async () => {
  if (process.argv.includes('--help')) {
    process.stdout.write(`${help}\n`);
    return 0;
  }
  const unknown = process.argv.slice(2).find((word) => word !== '--json');
  if (unknown !== undefined) {
    const next = 'see `npm run isolation -- --help`.';
    throw new OperatorError({ attempted: 'read the command line', seen: unknown, next, exitCode: 2 });
  }
  const proof = await proveBoundary();
  if (process.argv.includes('--json')) {
    process.stdout.write(`${JSON.stringify(proof)}\n`);
    return proof.lines.every((line) => line.holds) ? 0 : 1;
  }
  const width = Math.max(...proof.lines.map((line) => line.subject.length));
  const show = (line: ProofLine): string =>
    `${line.holds ? 'holds ' : 'BROKEN'}  ${line.subject.padEnd(width)}  ${line.seen}`;
  process.stdout.write(`${proof.lines.map(show).join('\n')}\n\n${proof.summary}\n`);
  return proof.lines.every((line) => line.holds) ? 0 : 1;
});
