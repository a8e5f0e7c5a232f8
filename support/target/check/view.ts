import Table from 'cli-table3';
import { toned } from '../../terminal';
import type { Check } from './check';

/** What was found as a person reads it: what answers, how real it is, what can run, and what to do next. */
export function showCheck(check: Check): string {
  const open = check.findings.filter(({ status }) => status !== 'met');
  const runs = sum(check, ({ runs: scenarios }) => scenarios);
  const skipped = sum(check, (one) => one.skipped.scenarios);
  const stuck = sum(check, (one) => one.stuck.scenarios);
  return [
    `Target ${check.target}${check.configuration === undefined ? '' : ` of ${check.configuration}`}; it can do: ${check.capabilities.join(', ') || 'nothing beyond its endpoints'}.`,
    table(
      ['', 'asked', 'expected', 'seen'],
      check.findings.map(({ subject, status, expected, actual }) => [
        status === 'met' ? toned('good', 'ok') : toned('bad', status.toUpperCase()),
        subject,
        expected,
        actual,
      ]),
    ),
    check.partsUnknown === undefined
      ? table(
          ['part', 'version', 'provenance', 'because'],
          check.parts.map(({ name, role, version, provenance, basis }) => [
            role === undefined ? name : `${name} (as ${role})`,
            version,
            provenance,
            basis ?? 'known beforehand',
          ]),
        )
      : `How real its parts are cannot be told: ${check.partsUnknown}`,
    table(
      ['feature', 'run', 'skipped', 'cannot start'],
      check.features.map(({ feature, runs: scenarios, skipped: left, stuck: waiting }) => [
        feature,
        String(scenarios),
        left.scenarios === 0 ? '' : `${left.scenarios}: it cannot do ${left.why.join(', ')}`,
        waiting.scenarios === 0 ? '' : `${waiting.scenarios}: ${waiting.why.join(', ')} not ready`,
      ]),
    ),
    ...(open.length === 0
      ? []
      : ['Next:', ...open.map(({ subject, hint, source }) => `- ${subject}: ${hint ?? `look at ${source}`}`)]),
    `${runs} scenarios can run, ${skipped} would be skipped, ${stuck} could not start.`,
  ].join('\n');
}

function sum(check: Check, of: (feature: Check['features'][number]) => number): number {
  return check.features.reduce((total, feature) => total + of(feature), 0);
}

function table(head: string[], rows: string[][]): string {
  const drawn = new Table({
    head,
    style: { head: [], border: [] },
    wordWrap: true,
    ...(head.length === 4 ? { colWidths: [head[0] === '' ? 9 : 34, 34, 24, 60] } : {}),
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  });
  for (const row of rows) drawn.push(row);
  return drawn.toString();
}
