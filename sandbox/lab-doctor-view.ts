import Table from 'cli-table3';
import type { Requirement } from './lab-doctor';

/** A table of what was looked at, and below it what to do. */
export function showRequirements(found: readonly Requirement[]): string {
  const table = new Table({ head: ['', 'needed', 'expected', 'seen'], style: { head: [], border: [] } });
  for (const { finding, hard } of found) {
    const mark = finding.status === 'met' ? 'ok' : hard ? 'LACKS' : 'note';
    table.push([mark, finding.subject, finding.expected, finding.actual]);
  }
  const open = found.filter(({ finding }) => finding.status !== 'met');
  const steps = open.map(({ finding }) => `- ${finding.subject}: ${finding.hint ?? ''}`);
  const packages = [...new Set(open.flatMap((requirement) => requirement.packages))];
  const all =
    packages.length > 0
      ? [`All packages at once: npm run lab -- install-deps   (apt-get install ${packages.join(' ')})`]
      : [];
  return [
    table.toString(),
    ...(steps.length > 0 ? ['Next:', ...steps, ...all] : ['This machine has what the lab needs.']),
  ].join('\n');
}
