import { createTwoFilesPatch } from 'diff';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OperatorError } from '../../failure';
import type { Finding } from '../../finding';
import { judged, type GateResult, type Judged } from '../result';
import { checkOut, instancesOf, openChart, renderInstance, type ChartInstance } from './chart';

export interface RenderGateOptions {
  /** The revision to compare with: a branch, tag or commit. */
  before: string;
}

/**
 * The render gate (seed 003, "byte-identical chart render"): for every instance that exists already, `helm template`
 * gives the same bytes before and after. After is the working tree. Changes nothing.
 */
export async function renderGate(chart: string, options: RenderGateOptions): Promise<GateResult> {
  return judged('render', chart, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gate-render-'));
    try {
      return await compareRenders(chart, options.before, folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}

async function compareRenders(path: string, revision: string, scratch: string): Promise<Judged> {
  const chart = await openChart(path);
  const home = join(scratch, 'helm');
  const checkout = join(scratch, 'before');
  await Promise.all([mkdir(home), mkdir(checkout)]);
  const before = await checkOut(chart, revision, checkout);
  const existing = instancesOf(before);
  const now = new Set(instancesOf(chart.folder).map(({ release }) => release));
  const findings: Finding[] = [];
  const diffs: string[] = [];
  for (const instance of existing) {
    const old = await renderInstance(before, instance, home);
    if (old !== (await renderInstance(before, instance, home))) throw unstable(path, instance);
    const source = `helm template ${instance.release} at ${revision} and in the working tree`;
    const finding = {
      subject: `render of ${instance.release}`,
      expected: `the same ${Buffer.byteLength(old)} bytes`,
      source,
    };
    if (!now.has(instance.release) || instance.valueFiles.some((file) => !existsSync(join(chart.folder, file)))) {
      const hint = `bring ${instance.valueFiles.join(', ') || 'the chart’s name'} back: this instance is deployed.`;
      findings.push({ ...finding, status: 'unmet', actual: 'the instance is gone from the chart', hint });
      continue;
    }
    const fresh = await renderInstance(chart.folder, instance, home);
    if (fresh === old) {
      findings.push({ ...finding, status: 'met', actual: 'the same bytes' });
      continue;
    }
    const diff = createTwoFilesPatch(
      `before/${instance.release}.yaml`,
      `after/${instance.release}.yaml`,
      old,
      fresh,
      revision,
      'working tree',
    );
    diffs.push(diff);
    const hint = 'make the change depend on a value that only the new instance sets.';
    findings.push({ ...finding, status: 'unmet', actual: changedLines(diff), hint });
  }
  return { summary: summary(findings, revision), findings, detail: diffs.join('\n') };
}

function changedLines(diff: string): string {
  const lines = diff.split('\n').filter((line) => /^[+-](?![+-]{2} )/.test(line));
  const first = lines[0] ?? '';
  return `${lines.length} lines differ, the first: ${first}`;
}

function summary(findings: readonly Finding[], revision: string): string {
  const bad = findings.filter(({ status }) => status !== 'met').map(({ subject }) => subject.replace('render of ', ''));
  if (bad.length > 0) return `The chart renders differently than at ${revision} for ${bad.join(', ')}.`;
  return `The chart renders byte for byte as at ${revision} for all ${findings.length} existing instances.`;
}

function unstable(path: string, { release }: ChartInstance): OperatorError {
  return new OperatorError({
    attempted: 'compare the renders of the chart',
    where: path,
    expected: 'the same bytes each time the same revision is rendered',
    seen: `two renders of ${release} differ`,
    next: 'take what is random or of the moment out of the chart (randAlphaNum, genCA, now): Argo CD renders it again and again.',
    exitCode: 2,
  });
}
