import { eventually } from '../support/eventually';
import { reason } from '../support/failure';
import { worst, type Finding } from '../support/finding';

/** What the looks at a state came to. */
export interface Looks {
  /** Milliseconds since the epoch: the first look of those that proved it. */
  firstGoodAt: number;
  /** How many looks came before it. */
  before: number;
  /** What the last of them saw. */
  lastBad: string;
}

export interface Proof {
  /** How often in a row everything must hold. */
  passes: number;
  /** How long it may take, in milliseconds. */
  ms: number;
  look(): Promise<Finding[]>;
  /** Sees every look. */
  onLook?(findings: readonly Finding[]): void;
  /** Sees the last look, on every outcome. */
  onEnd(findings: readonly Finding[]): void;
}

/**
 * Waits until everything holds so many times in a row: once may be luck, or a status from before.
 * @throws AwaitTimeout when the time is up, or when a finding cannot become met any more.
 */
export async function prove({ passes, ms, look, onLook, onEnd }: Proof): Promise<Looks> {
  let inARow = 0;
  const looks: Looks = { firstGoodAt: 0, before: 0, lastBad: '' };
  let last: Finding[] = [];
  const once = async (): Promise<Finding> => {
    last = await look().catch(unseen);
    onLook?.(last);
    if (worst(last) === 'met') {
      if (inARow === 0) looks.firstGoodAt = Date.now();
      inARow += 1;
    } else {
      looks.before += inARow + 1;
      inARow = 0;
      looks.lastBad = openOnes(last);
    }
    return {
      subject: 'steady state',
      status: inARow >= passes ? 'met' : 'unmet',
      final: last.some(({ status, final }) => status === 'unmet' && final === true),
      expected: passes === 1 ? 'everything holds' : `everything holds ${passes} times in a row`,
      actual: inARow > 0 ? `held ${inARow} times in a row` : looks.lastBad,
      source: 'the probes of the drill',
    };
  };
  try {
    await eventually('everything holds', once, { ms });
  } finally {
    onEnd(last);
  }
  return looks;
}

function unseen(thrown: unknown): Finding[] {
  return [
    {
      subject: 'the look',
      status: 'unknown',
      expected: 'an answer',
      actual: reason(thrown),
      source: 'the probes of the drill',
    },
  ];
}

/** The first four findings that are not met, in a line. */
export function openOnes(findings: readonly Finding[]): string {
  const open = findings.filter(({ status }) => status !== 'met');
  return open
    .slice(0, 4)
    .map(({ subject, actual }) => `${subject}: ${actual}`)
    .join('; ');
}
