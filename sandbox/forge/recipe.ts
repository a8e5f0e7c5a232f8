import { z } from 'zod';

/** How real a component is on the embedded target (docs/architecture.md). */
export type Provenance = 'upstream' | 'substitute' | 'stand-in';

/**
 * The part of the bring-up that first needs a component. Components are built in this order: what the first scenarios need
 * comes first, then what takes longest to converge once it is built. What is of `trials` is built when a trial asks for it by
 * name: no lab has it.
 */
export const stages = ['cluster', 'storage', 'secrets', 'gitops', 'provisioning', 'git', 'pki', 'trials'] as const;

const binaryShape = z.object({
  package: z.string().min(1),
  binary: z.string().regex(/^[a-z][a-z0-9-]*$/),
});

const moduleShape = z.object({
  path: z.string().min(1),
  version: z.string().regex(/^v\d+\.\d+\.\d+$/, 'an exact version: vX.Y.Z'),
  /** The module's hash in Go's checksum database (go.sum notation). Pinned here so that the database is not the only witness. */
  sum: z.string().regex(/^h1:[A-Za-z0-9+/]{43}=$/),
});

const changeShape = z.intersection(
  z.object({ module: z.string(), file: z.string() }),
  z.union([
    /** A file in sandbox/forge/changed/. */
    z.object({ by: z.string() }),
    /** A text that is there exactly once, and another one. */
    z.object({ text: z.string(), to: z.string() }),
  ]),
);

/** What of upstream's code is built otherwise than upstream wrote it. */
export type Change = z.infer<typeof changeShape>;

const recipeShape = z.object({
  name: z.string().regex(/^[a-z][a-z0-9-]*$/),
  /** What it plays in the sandbox. */
  role: z.string().min(1),
  provenance: z.enum(['upstream', 'substitute', 'stand-in']),
  stage: z.enum(stages),
  /** Absent for a module of this checkout, which `local` names (relative to sandbox/). */
  module: moduleShape.optional(),
  local: z.string().optional(),
  /** Empty for a local module: every package below cmd/ is one binary. */
  binaries: z.array(binaryShape),
  /**
   * Folder below sandbox/forge/mains/ with the program's start, for a module that publishes its code but not its commands.
   * Its package is `.` (of the throw-away module the component is built in).
   */
  main: z.string().optional(),
  /** A file of this or another module, and what takes the place of it or of a text in it. */
  changed: changeShape.optional(),
  tags: z.array(z.string()).default([]),
  /** Values for `-ldflags -X`. */
  defines: z.record(z.string(), z.string()).default({}),
  /** Other modules fixed to a version: path to version. */
  pins: z.record(z.string(), z.string()).default({}),
  /** Most need no C compiler, can be cross-built, and share compiled packages because all of them have it off. */
  cgo: z.boolean().default(false),
  /** A C source of the module that becomes a static binary. */
  c: z.object({ source: z.string(), binary: z.string(), defines: z.record(z.string(), z.string()) }).optional(),
  /** Folders and files of the module kept beside the binaries, in share/<name>/. */
  share: z.array(z.string()).default([]),
  /** GiB of Go caches that building it alone from nothing needs, rounded up (measured). */
  diskGiB: z.number().positive(),
});

/** How a component is built, and from what. */
export type Recipe = z.infer<typeof recipeShape>;

/** A recipe as it is written down: what has a default may be left out. */
export type RecipeInput = z.input<typeof recipeShape>;

/**
 * Checks recipes: shape, one source each, no component or binary twice.
 * @throws z.ZodError or Error: a wrong recipe is a defect of this project.
 */
export function parseRecipes(input: unknown): Recipe[] {
  const parsed = z.array(recipeShape).parse(input);
  const seen = new Set<string>();
  for (const recipe of parsed) {
    if ((recipe.module === undefined) === (recipe.local === undefined)) {
      throw new Error(`recipe ${recipe.name}: give either module or local`);
    }
    if (recipe.module !== undefined && recipe.binaries.length === 0)
      throw new Error(`recipe ${recipe.name}: no binary`);
    const names = [`component ${recipe.name}`, ...recipe.binaries.map((built) => `binary ${built.binary}`)];
    if (recipe.c !== undefined) names.push(`binary ${recipe.c.binary}`);
    for (const name of names) {
      if (seen.has(name)) throw new Error(`recipe ${recipe.name}: ${name} is there twice`);
      seen.add(name);
    }
  }
  return parsed;
}
