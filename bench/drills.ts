import { OperatorError } from '../support/failure';
import { selectTarget } from '../support/target';
import { drills as allDrills } from '../drills/registry';
import { suiteMs } from '../drills/recovery-time';
import { runDrill } from '../drills/run';
import type { Benchmark } from './benchmark';
import { ensureLab } from './lab';

/** How long each drill takes to recover by the runbook, and what it spends that time on. */
export const drills: Benchmark = {
  name: 'drills',
  what: 'the time to recover of every drill, added up: from the end of the injection to the first good look of the proof; each with its parts, and what the suite itself took of the whole drill',
  unit: 's',
  touches: 'breaks it and repairs it, drill after drill',
  before: ({ say }) => ensureLab(say),
  run: async ({ say, part }) => {
    const target = selectTarget();
    const leave = target.occupy();
    try {
      let total = 0;
      for (const drill of allDrills) {
        const began = performance.now();
        const journal = await runDrill(target, drill, { say });
        const { recovery, verdict, reason } = journal;
        if (recovery === null || verdict !== 'survived')
          throw new OperatorError({
            attempted: `measure the drill ${drill.id}`,
            expected: 'survived',
            seen: `${verdict}: ${reason}`,
            next: 'mend it first.',
          });
        part(drill.id, recovery.totalMs / 1000);
        part(`${drill.id}: detection`, recovery.detectionMs / 1000);
        part(`${drill.id}: person`, recovery.personMs / 1000);
        part(`${drill.id}: commands`, recovery.commandMs / 1000);
        part(`${drill.id}: convergence`, recovery.convergenceMs / 1000);
        part(`${drill.id}: suite`, suiteMs(journal) / 1000);
        part(`${drill.id}: whole drill`, (performance.now() - began) / 1000);
        total += recovery.totalMs / 1000;
      }
      return total;
    } finally {
      leave();
    }
  },
};
