import { PassThrough } from 'node:stream';
import { loadConfiguration, runCucumber } from '@cucumber/cucumber/api';
import type { Envelope } from '@cucumber/messages';
import { projectRoot } from '../support/paths';
import { capabilities, selectTarget } from '../support/target';
import { OperatorError, runMain } from '../support/failure';
import { stepProblems } from './step-problems';

/** Matches features and step definitions without running anything; `npx cucumber-js --dry-run` calls undefined steps fine. */
async function main(): Promise<number> {
  const config = process.argv[2];
  const { runConfiguration } = await loadConfiguration(config === undefined ? {} : { file: config }, {
    cwd: projectRoot,
  });
  const envelopes: Envelope[] = [];
  const said = new PassThrough();
  let errors = '';
  said.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const { success } = await runCucumber(
    {
      ...runConfiguration,
      runtime: { ...runConfiguration.runtime, dryRun: true },
      formats: { stdout: 'summary', files: {}, publish: false, options: {} },
    },
    { cwd: projectRoot, stdout: new PassThrough().resume(), stderr: said },
    (envelope) => void envelopes.push(envelope),
  );
  const problems = stepProblems(envelopes, { stages: selectTarget().stages(), capabilities });
  // Without problems of its own to name, Cucumber failed for what it said: a feature it could not parse.
  if (!success && problems.length === 0) problems.push(errors.trim() || 'Cucumber failed without saying why');
  if (problems.length === 0) {
    console.log(
      `${envelopes.filter(({ pickle }) => pickle !== undefined).length} scenarios, every step defined once, no definition unused`,
    );
    return 0;
  }
  throw new OperatorError({
    attempted: 'match features and step definitions',
    seen: `\n  ${problems.join('\n  ')}\n`,
    next: 'define, remove or tell apart the steps named above.',
  });
}

runMain(main);
