import { resolve } from 'node:path';
import { OperatorError, runMain } from '../../support/failure';
import { renderRepositories } from '../../support/factory/repositories';

export { renderRepositories };

const usage = 'npx ts-node sandbox/factory/render.ts OUT';

/** `render.ts OUT`: writes every repository of the factory as a folder below OUT, for the playbook that pushes them. */
async function main(): Promise<void> {
  const [out, ...rest] = process.argv.slice(2);
  if (out === undefined || out.startsWith('-') || rest.length > 0) {
    throw new OperatorError({
      attempted: 'render the factory’s repositories',
      expected: 'one folder to write to',
      seen: process.argv.slice(2).join(' ') || 'nothing',
      next: `call \`${usage}\`.`,
      exitCode: 2,
    });
  }
  const names = renderRepositories(resolve(out));
  process.stdout.write(`${names.length} repositories in ${resolve(out)}: ${names.join(', ')}\n`);
}

if (require.main === module) runMain(main);
