import { runStep, type Follower } from '../follow';
import type { StepRecord } from '../journal';
import type { Recorder } from '../recorder';
import type { Operator } from '../options';
import { LeftHalfWay } from '../run';
import type { Block, Section } from '../runbook/document';
import type { Terminal } from './terminal';

const help = `  r  run the step here          h  I did it by hand, it passed      f  it did not work
  i  record a step of my own    p  pause                            q  stop; go on later with npm run game-day`;

/**
 * The operator of a game day: sees the runbook's text and nothing else, step by step, and says what became of each.
 * @param shown what else the operator needs to know: the variables the sections speak of.
 */
export function gameDayOperator(terminal: Terminal, shown: string): Operator {
  return async (sections, follower, recorder) => {
    if (shown !== '') terminal.say(`\n${shown}`);
    terminal.say(`\n${help}`);
    const done = new Set(
      recorder.journal.steps
        .filter(({ result }) => result === 'passed' || result === 'by hand')
        .map(({ block }) => block),
    );
    let after = recorder.journal.steps.at(-1)?.block ?? null;
    for (const section of sections) {
      for (const [index, block] of section.blocks.entries()) {
        if (done.has(block.id)) continue;
        terminal.say(`\n${textBefore(section, block, section.blocks[index - 1])}\n`);
        const passed = await settle(block, after, { terminal, follower, recorder });
        if (!passed) return false;
        after = block.id;
      }
    }
    return true;
  };
}

interface Desk {
  terminal: Terminal;
  follower: Follower;
  recorder: Recorder;
}

/** Asks until a step is settled. @returns whether it passed. */
async function settle(block: Block, after: string | null, { terminal, follower, recorder }: Desk): Promise<boolean> {
  for (;;) {
    const answer = await timed(recorder, () => terminal.ask(`${block.kind} ${block.id} [r/h/i/p/f/q] `));
    if (answer === 'r') {
      const record = await runStep(block, follower);
      terminal.say(record.output);
      if (record.result === 'passed') {
        follower.onStep(record);
        return true;
      }
      // The operator decides whether that was the end: a step may be tried again, or mended by hand.
      terminal.say(`${record.result}: ${record.why ?? ''}`);
    } else if (answer === 'h') {
      follower.onStep(byHand(block, 'passed'));
      return true;
    } else if (answer === 'f') {
      follower.onStep(byHand(block, 'failed', await timed(recorder, () => terminal.ask('What went wrong? '))));
      return false;
    } else if (answer === 'i') await improvise(block, after, { terminal, recorder });
    else if (answer === 'p') await timed(recorder, () => terminal.ask('Paused. Enter goes on. '));
    else if (answer === 'q') throw new LeftHalfWay('the operator stopped half-way');
    else terminal.say(help);
  }
}

async function improvise(
  block: Block,
  after: string | null,
  { terminal, recorder }: Omit<Desk, 'follower'>,
): Promise<void> {
  const started = new Date().toISOString();
  const command = await timed(recorder, () => terminal.ask('The command you ran (in another shell): '));
  const why = await timed(recorder, () => terminal.ask('Why was it needed? '));
  recorder.improvised({ after, section: block.section, command, why, started, ended: new Date().toISOString() });
}

/** Asks, and keeps how long the operator took: no machine's time. */
async function timed(recorder: Recorder, ask: () => Promise<string>): Promise<string> {
  const began = performance.now();
  try {
    return (await ask()).trim();
  } finally {
    recorder.decided(performance.now() - began);
  }
}

function byHand({ id, kind, section, hash, text }: Block, result: 'passed' | 'failed', why?: string): StepRecord {
  const now = new Date().toISOString();
  const record = {
    block: id,
    kind,
    section,
    hash,
    command: text,
    started: now,
    ended: now,
    attempts: 1,
    exitCode: null,
    output: '',
  };
  return { ...record, result: result === 'passed' ? 'by hand' : 'failed', ...(why === undefined ? {} : { why }) };
}

/** The runbook's own words up to and including a step. */
function textBefore(section: Section, block: Block, previous: Block | undefined): string {
  const lines = section.text.split('\n');
  const from = previous === undefined ? 0 : previous.endLine - section.line + 1;
  return lines
    .slice(from, block.endLine - section.line + 1)
    .join('\n')
    .trim();
}
