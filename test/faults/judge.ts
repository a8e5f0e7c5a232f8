import type { Run } from '../../reports/scenarios';
import type { PlantedFault, Verdict } from './fault';

/** Whether a run caught a planted fault: its scenario failed, at the step named, with the words named. */
export function judge({ feature, scenario, redAt }: PlantedFault, run: Run): { verdict: Verdict; detail: string } {
  const found = run.scenarios.find((one) => one.uri === feature && one.name === scenario);
  if (found === undefined) return { verdict: 'not run', detail: `the run had no scenario "${scenario}"` };
  if (found.verdict === 'skipped') return { verdict: 'not run', detail: `skipped: ${found.skip?.why ?? 'no reason'}` };
  if (found.failure === undefined)
    return { verdict: 'missed', detail: 'the scenario passed although the fault was there' };
  const { step, message } = found.failure;
  const at = `at "${step}"`;
  if (step !== redAt.step)
    return { verdict: 'blamed elsewhere', detail: `${at} instead of "${redAt.step}": ${firstLines(message)}` };
  if (!redAt.says.test(message))
    return { verdict: 'blamed elsewhere', detail: `${at} without ${String(redAt.says)}: ${firstLines(message)}` };
  return { verdict: 'caught', detail: at };
}

function firstLines(message: string): string {
  return message.split('\n').slice(0, 3).join(' ').slice(0, 300);
}
