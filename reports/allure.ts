import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from '../support/command';
import { ledgerFiles, ledgerFolder } from '../support/evidence/ledger';
import { OperatorError } from '../support/failure';
import { categories } from './categories';
import { projectRoot } from '../support/paths';
import type { Environment } from './environment';
import { reportFiles } from './writers';

/** How many runs the history keeps. */
const historyLimit = 50;

/**
 * Makes allure/index.html, one file that opens from disk, from allure-results. Its history is kept in the ledger's folder from
 * run to run, where no run cleans.
 * @param pages HTML files that belong to the run as a whole.
 * @throws OperatorError when Allure cannot make it.
 */
export async function generateAllure(
  out: string,
  environment: Environment,
  pages: readonly string[] = [],
): Promise<string> {
  const files = reportFiles(out);
  const folder = dirname(files.allure);
  const config = join(out, 'allurerc.json');
  const { history } = ledgerFiles(ledgerFolder());
  mkdirSync(dirname(history), { recursive: true, mode: 0o700 });
  rmSync(folder, { recursive: true, force: true });
  writeFileSync(
    config,
    JSON.stringify({
      name: `Sandbox acceptance: ${environment.target}`,
      output: folder,
      historyPath: history,
      historyLimit,
      appendHistory: true,
      categories,
      globalAttachments: pages,
      plugins: {
        awesome: { options: { singleFile: true, reportLanguage: 'en', groupBy: ['feature'] } },
      },
    }),
  );
  const cli = join(projectRoot, 'node_modules', 'allure', 'cli.js');
  await run('node', [cli, 'generate', '--config', config, files.allureResults], { cwd: out });
  const page = pageIn(folder);
  if (page === undefined) {
    throw new OperatorError({
      attempted: 'make the Allure report',
      where: folder,
      expected: 'index.html',
      next: `run \`npx allure generate --config ${config} ${files.allureResults}\` and read what it says.`,
    });
  }
  return page;
}

/** Allure exits 0 also when it wrote nothing that can be opened. */
function pageIn(folder: string): string | undefined {
  const page = join(folder, 'index.html');
  return existsSync(page) && readFileSync(page, 'utf8').includes('</html>') ? page : undefined;
}
