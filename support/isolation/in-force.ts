import type { Judge } from './policy';
import { boundaryIsBroken } from './rig';
import type { Refused, Verdict } from './verdict';

/** A refusal of the second line: something got past the first one. */
export interface SecondLineRefusal {
  /** Where it was stopped: "socket", "name look-up", "datagram", "proxied request", "child process". */
  at: string;
  verdict: Refused;
}

const log: SecondLineRefusal[] = [];
let judgeInForce: (() => Judge) | undefined;

/** Puts a judge in force. @returns true the first time. */
export function putInForce(judge: () => Judge): boolean {
  const first = judgeInForce === undefined;
  judgeInForce = judge;
  return first;
}

/** The judge in force, or undefined before installation and where the boundary is broken on purpose. */
export function inForce(): Judge | undefined {
  return judgeInForce === undefined || boundaryIsBroken() ? undefined : judgeInForce();
}

/** What the second line has refused since this process started (at most the first 1000). */
export function secondLineRefusals(): readonly SecondLineRefusal[] {
  return log;
}

/** Judges by what is in force; undefined when it is permitted. Every refusal is kept for the report. */
export function check(at: string, verdictOf: (judge: Judge) => Verdict): Refused | undefined {
  if (judgeInForce === undefined || boundaryIsBroken()) return undefined;
  const verdict = verdictOf(judgeInForce());
  if (verdict.allowed) return undefined;
  if (log.length < 1000) log.push({ at, verdict });
  return verdict;
}

/** Replaces a function of a Node.js module. */
export function patch<T extends object>(target: T, name: keyof T & string, value: unknown): void {
  Object.defineProperty(target, name, { value, configurable: true, enumerable: true, writable: true });
}

/** A Node.js whose inside has moved: better no start than no second line. */
export function cannotInstall(what: string): Error {
  return new Error(
    `The second line of the isolation boundary does not know this Node.js (${process.version}): ${what} is not where it was.`,
  );
}
