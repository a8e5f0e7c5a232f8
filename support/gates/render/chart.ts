import { existsSync, mkdtempSync, readFileSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { run } from '../../command';
import { OperatorError, reason } from '../../failure';
import { forgeProgram } from '../../paths';

/** A chart in a git checkout. */
export interface Chart {
  folder: string;
  /** Root folder of the checkout. */
  checkout: string;
  /** Path of the chart below it; '' when it is the root. */
  path: string;
}

/** One deployed instance of a chart's app: its Helm release, and the values files laid over each other. */
export interface ChartInstance {
  release: string;
  valueFiles: string[];
}

const chartShape = z.object({ name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'a lower-case kebab-case name') }).loose();

/** Finds the checkout a chart lies in. @throws OperatorError (exit code 2) when it is no chart or no checkout. */
export async function openChart(folder: string): Promise<Chart> {
  if (!existsSync(join(folder, 'Chart.yaml'))) {
    throw unusable(folder, 'a folder with a Chart.yaml', 'none', 'give the chart folder, such as ./chart.');
  }
  const real = realpathSync(folder);
  const top = await run('git', ['-C', real, 'rev-parse', '--show-toplevel'], { allowFailure: true });
  if (top.exitCode !== 0) {
    const next = 'run the gate in the checkout of the repository: it renders the chart of an earlier revision too.';
    throw unusable(folder, 'a chart in a git checkout', lastLine(top.stderr), next);
  }
  const checkout = realpathSync(top.stdout.trim());
  return { folder: real, checkout, path: relative(checkout, real) };
}

/**
 * Lays the chart out as it was at a revision.
 * @param into an empty folder. @param above a folder of the checkout to lay out whole, with the chart in it.
 * @returns the chart's folder in `into`.
 * @throws OperatorError (exit code 2) when there is no such revision or it had no such chart.
 */
export async function checkOut(chart: Chart, revision: string, into: string, above = chart.path): Promise<string> {
  const resolve = [
    '-C',
    chart.checkout,
    'rev-parse',
    '--verify',
    '--quiet',
    '--end-of-options',
    `${revision}^{commit}`,
  ];
  const commit = (await run('git', resolve, { allowFailure: true })).stdout.trim();
  if (commit === '') {
    const next = 'give a branch, tag or commit of that repository with --before (in CI: fetch it first).';
    throw unusable(chart.checkout, `the revision ${revision}`, 'no such commit', next);
  }
  const archive = join(into, 'before.tar');
  const paths = above === '' ? [] : [above];
  const packed = await run('git', ['-C', chart.checkout, 'archive', '-o', archive, commit, '--', ...paths], {
    allowFailure: true,
  });
  if (packed.exitCode !== 0 || !(await unpack(archive, into, chart.path))) {
    const next = 'give a revision at which the chart existed already: a new chart has nothing to be compared with.';
    throw unusable(chart.folder, `a chart at ${revision}`, `no ${join(chart.path, 'Chart.yaml')} there`, next);
  }
  return join(into, chart.path);
}

async function unpack(archive: string, into: string, path: string): Promise<boolean> {
  await run('tar', ['-xf', archive, '-C', into]);
  return existsSync(join(into, path, 'Chart.yaml'));
}

/**
 * The instances of a chart's app (ADR-0002): prod, whose name elides, with values.yaml alone; and one for every
 * values-<env>.yaml. @throws OperatorError (exit code 2) when Chart.yaml cannot be read.
 */
export function instancesOf(folder: string): ChartInstance[] {
  let name: string;
  try {
    name = chartShape.parse(parse(readFileSync(join(folder, 'Chart.yaml'), 'utf8'))).name;
  } catch (thrown) {
    const next = 'correct Chart.yaml; a template with tokens is rendered into an app repository first.';
    throw unusable(join(folder, 'Chart.yaml'), 'a chart with a name', reason(thrown), next);
  }
  const environments = readdirSync(folder)
    .map((file) => /^values-([a-z][a-z0-9]*)\.yaml$/.exec(file)?.[1])
    .filter((env) => env !== undefined)
    .sort();
  return [
    { release: name, valueFiles: [] },
    ...environments.map((env) => ({ release: `${name}-${env}`, valueFiles: [`values-${env}.yaml`] })),
  ];
}

/**
 * What `helm template` makes of an instance, byte for byte.
 * @param home an empty folder for Helm's own files, so that nothing of the caller's Helm has a say.
 * @throws OperatorError (exit code 2) when the chart does not render or Helm is missing.
 */
export async function renderInstance(folder: string, instance: ChartInstance, home: string): Promise<string> {
  const helm = forgeProgram('helm');
  if (helm !== 'helm' && !existsSync(helm)) {
    throw unusable(helm, 'the forge’s Helm', 'no such file', 'build it with `npm run lab -- forge helm`.');
  }
  // Argo CD lays every values file over the chart's own values.yaml, which Helm reads by itself.
  const values = instance.valueFiles.flatMap((file) => ['--values', join(folder, file)]);
  // Written to files: what comes back on the standard output has lost its last line end.
  const output = mkdtempSync(join(home, 'rendered-'));
  const args = [
    'template',
    instance.release,
    folder,
    '--namespace',
    instance.release,
    '--output-dir',
    output,
    ...values,
  ];
  const env = { HELM_CONFIG_HOME: home, HELM_CACHE_HOME: home, HELM_DATA_HOME: home };
  const rendered = await run(helm, args, { env, allowFailure: true, timeoutMs: 60_000 });
  if (rendered.exitCode === 0) return readFiles(output);
  const seen = rendered.stderr.replaceAll(`${folder}/`, '').trim().split('\n').slice(-3).join(' ');
  throw unusable(
    folder,
    `a chart that renders for ${instance.release}`,
    seen,
    'mend the chart: `helm template` says the same.',
  );
}

/** Every file below a folder, one after another in the order of their paths. */
function readFiles(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .filter((path) => statSync(join(folder, path)).isFile())
    .map((path) => readFileSync(join(folder, path), 'utf8'))
    .join('');
}

function unusable(where: string, expected: string, seen: string, next: string): OperatorError {
  return new OperatorError({ attempted: 'render the chart', where, expected, seen, next, exitCode: 2 });
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
