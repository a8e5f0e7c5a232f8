import type { Requirement } from './lab-doctor';
import { table } from './lab-table';

/** A table of what was looked at, and below it what to do. */
export function showRequirements(found: readonly Requirement[]): string {
  const shown = table(
    ['', 'needed', 'expected', 'seen'],
    found.map(({ finding, hard }) => {
      const mark = finding.status === 'met' ? 'ok' : hard ? 'LACKS' : 'note';
      return [mark, finding.subject, finding.expected, finding.actual];
    }),
  );
  const open = found.filter(({ finding }) => finding.status !== 'met');
  const steps = open.map(({ finding }) => `- ${finding.subject}: ${finding.hint ?? ''}`);
  const packages = [...new Set(open.flatMap((requirement) => requirement.packages))];
  const all =
    packages.length > 0
      ? [`All packages at once: npm run lab -- install-deps   (apt-get install ${packages.join(' ')})`]
      : [];
  return [shown, ...(steps.length > 0 ? ['Next:', ...steps, ...all] : ['This machine has what the lab needs.'])].join(
    '\n',
  );
}
