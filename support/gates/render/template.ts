import { readFileSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { appToken, readFactoryApps, renderAppRepository, templateFolder } from '../../factory/repositories';
import type { GateResult } from '../result';
import { checkOut, openChart } from './chart';
import { renderBetween } from './deployed';
import type { RenderGateOptions } from './gate';

/** Whether a folder is the chart of the template for new apps, which has tokens and is no chart by itself. */
export function isTemplate(chart: string): boolean {
  try {
    return (
      basename(dirname(chart)) === templateFolder && readFileSync(join(chart, 'Chart.yaml'), 'utf8').includes(appToken)
    );
  } catch {
    return false; // The gate says what is wrong with a folder without a chart.
  }
}

/**
 * The render gate over the template: every app that argocd/values.yaml had is made from the factory as it was and as it is,
 * and renders byte for byte as before.
 * @returns a result an app.
 * @throws OperatorError (exit code 2) when the factory of either time cannot be rendered.
 */
export async function renderTemplate(folder: string, { before }: RenderGateOptions): Promise<GateResult[]> {
  const chart = await openChart(folder);
  const factory = dirname(dirname(chart.folder));
  const scratch = await mkdtemp(join(tmpdir(), 'gate-template-'));
  try {
    const old = await checkOut(chart, before, scratch, relative(chart.checkout, factory));
    const was = dirname(dirname(old));
    const now = new Map(readFactoryApps(factory).map((app) => [app.name, app]));
    const results: GateResult[] = [];
    for (const app of readFactoryApps(was)) {
      const repository = renderAppRepository(app, { factory: was });
      // An environment that was taken from the list is an instance that is gone.
      const fresh = renderAppRepository(now.get(app.name) ?? { ...app, envs: [] }, { factory });
      results.push(await renderBetween(`${app.name}/chart`, 'chart', repository, fresh, 'before'));
    }
    return results;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
