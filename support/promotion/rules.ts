import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { OperatorError, reason } from '../failure';
import { literal } from '../literal';

/** What a change may be (docs/architecture.md, "Promotion"). */
export const changeClasses = ['infra', 'vault', 'storage', 'dns', 'postgres', 'argocd', 'pki', 'app'] as const;
export type ChangeClass = (typeof changeClasses)[number];

const globs = z.array(z.string().min(1));
const common = {
  over: z.record(z.string(), z.enum(['upstream', 'substitute'])).default({}),
  without: z.array(z.string()).default([]),
  within: z
    .string()
    .regex(/^[1-9]\d{0,3}[dh]$/, 'a time such as 30d or 12h')
    .optional(),
  /** True where production is at stake: never waived. */
  safety: z.boolean().default(false),
  run: z
    .string()
    .regex(/^npm run [\w-]+( |$)/, "a command that begins with 'npm run'")
    .optional(),
};
const requirementShape = z.union([
  z.strictObject({ gate: z.string().min(1), whole: z.boolean().default(false), ...common }),
  z.strictObject({ feature: z.string().min(1), ...common }),
  z.strictObject({ drill: z.string().min(1), ...common }),
]);
export type Requirement = z.infer<typeof requirementShape>;

const classShape = z.strictObject({
  paths: globs.min(1),
  resources: globs.default([]),
  require: z.array(requirementShape).min(1),
});
const rulesShape = z.strictObject({
  version: z.literal(1),
  runbook: z.string().optional(),
  ignore: globs.default([]),
  always: z.array(requirementShape).default([]),
  classes: z.partialRecord(z.enum(changeClasses), classShape),
  targets: z.record(z.string(), z.array(z.string())).default({}),
  standins: z.record(z.string(), z.array(z.string())).default({}),
});
export type Rules = z.infer<typeof rulesShape>;

/** The file at a repository's root that takes the place of the default rules. */
export const rulesFile = 'promotion.yml';

/** The rules for a repository in the factory's layout. */
export const defaultRulesFile = join(__dirname, 'rules.yml');

/** Asked for of every change, whatever a rules file says: nothing may reach production (seed 000, "load-bearing requirement"). */
const isolation = requirementShape.parse({ feature: 'features/isolation.feature', within: '30d', safety: true });

/**
 * Reads rules.
 * @throws OperatorError (exit code 2) naming what is wrong, an unknown change class among it.
 */
export function parseRules(text: string, where: string): Rules {
  let yaml: unknown;
  try {
    yaml = parse(text);
  } catch (thrown) {
    throw wrongRules(where, reason(thrown));
  }
  const parsed = rulesShape.safeParse(yaml);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const unknown = issue?.path[0] === 'classes' && issue.path.length <= 2 && issue.code !== 'invalid_type';
    const hint = unknown ? ` (change classes are ${changeClasses.join(', ')})` : '';
    throw wrongRules(where, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not the expected shape'}${hint}`);
  }
  const rules = parsed.data;
  const always = rules.always.filter((one) => nameOf(one) !== nameOf(isolation));
  return { ...rules, always: [isolation, ...always] };
}

/** The default rules. */
export function defaultRules(): Rules {
  return parseRules(readFileSync(defaultRulesFile, 'utf8'), defaultRulesFile);
}

function wrongRules(where: string, seen: string): OperatorError {
  return new OperatorError({
    attempted: 'read the promotion rules',
    where,
    seen,
    next: `correct that file; ${defaultRulesFile} explains its form.`,
    exitCode: 2,
  });
}

/** A requirement's name, as waivers and the table have it: `drill vault-seal`. */
export function nameOf(requirement: Requirement): string {
  if ('gate' in requirement) return `gate ${requirement.gate}`;
  return 'feature' in requirement ? `feature ${requirement.feature}` : `drill ${requirement.drill}`;
}

/** Whether production or the isolation from it hangs on a requirement, whatever the rules file calls it. */
export function isSafety(requirement: Requirement): boolean {
  return requirement.safety || /isolation|production/i.test(nameOf(requirement)) || nameOf(requirement) === 'gate dns';
}

/** Milliseconds that evidence may be old; undefined for no limit. */
export function freshness({ within }: Requirement): number | undefined {
  if (within === undefined) return undefined;
  return Number(within.slice(0, -1)) * (within.endsWith('d') ? 24 : 1) * 3_600_000;
}

/** Whether a path matches one of the globs; `{a,b}` gives alternatives. */
export function matches(path: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => toRegExp(pattern).test(path));
}

const compiled = new Map<string, RegExp>();

function toRegExp(pattern: string): RegExp {
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  const source = pattern.replace(/\*\*\/|\*\*|[*?]|\{([^}]*)\}|[.+^$()|[\]\\]/g, (found, list: string | undefined) => {
    if (list !== undefined) return `(?:${list.split(',').map(literal).join('|')})`;
    if (found === '**/') return '(?:.*/)?';
    if (found === '**') return '.*';
    return found === '*' ? '[^/]*' : found === '?' ? '[^/]' : literal(found);
  });
  const made = new RegExp(`^${source}$`);
  compiled.set(pattern, made);
  return made;
}
