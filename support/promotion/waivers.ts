import { parse } from 'yaml';
import { z } from 'zod';
import { OperatorError, reason } from '../failure';
import { isSafety, nameOf, type Requirement } from './rules';

/** The file at a repository's root that excuses requirements; read at the base, so that a change cannot excuse itself. */
export const waiversFile = 'promotion-waivers.yml';

const waiverShape = z.strictObject({
  /** A requirement as the table names it: `drill vault-seal`. */
  requirement: z.string().min(1),
  reason: z.string().min(10, 'a reason that a reviewer can judge'),
  approver: z.string().min(1),
  /** The last day (UTC) on which it holds. */
  expires: z.iso.date(),
});
const waiversShape = z.strictObject({ waivers: z.array(waiverShape) });
export type Waiver = z.infer<typeof waiverShape>;

/** Reads waivers. @throws OperatorError (exit code 2) naming what is wrong: one without reason, approver or expiry is none. */
export function parseWaivers(text: string, where: string): Waiver[] {
  try {
    return waiversShape.parse(parse(text)).waivers;
  } catch (thrown) {
    const issue = thrown instanceof z.ZodError ? thrown.issues[0] : undefined;
    throw new OperatorError({
      attempted: 'read the waivers',
      where,
      expected: 'waivers: [{requirement, reason, approver, expires}]',
      seen: issue ? `${issue.path.join('.')}: ${issue.message}` : reason(thrown),
      next: 'correct that file on the base branch.',
      exitCode: 2,
    });
  }
}

/** A waiver and what it is worth here; shown in every verdict, whether it counts or not. */
export interface JudgedWaiver extends Waiver {
  /** Why it does not count; undefined when it does. */
  void?: string;
}

/** Judges waivers against the requirements of a change. Isolation and production safety are never waived. */
export function judgeWaivers(
  waivers: readonly Waiver[],
  requirements: readonly Requirement[],
  now: Date,
): JudgedWaiver[] {
  const today = now.toISOString().slice(0, 10);
  return waivers.map((waiver) => {
    const its = requirements.filter((one) => nameOf(one) === waiver.requirement);
    const safety = its.some(isSafety) || /isolation|production|gate dns/i.test(waiver.requirement);
    if (safety) return { ...waiver, void: 'isolation and production safety are never waived' };
    if (its.length === 0) return { ...waiver, void: 'this change has no such requirement' };
    return waiver.expires < today ? { ...waiver, void: `it expired on ${waiver.expires}` } : waiver;
  });
}
