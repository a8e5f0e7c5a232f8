/** Mutants that may end as survived, each with why that is right: by drill and mutant. */
export const knownSurvivors: Readonly<Record<string, string>> = {};
