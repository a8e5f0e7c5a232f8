/** What of a trial is planted wrong, and which check must say so. */
export interface Planted {
  name: string;
  breaks: string;
  /** The check that must be the first to be wrong, and the part of the trial it is in. */
  redAt: string;
  part: 'blockedThenGreen' | 'rewritten';
  /** The workflow as it is put into the repository. */
  workflow?(text: string): string;
  /** The status that the job sets, and the one that the branch protection asks for. */
  sets?: string;
  asks?: string;
  /** The protection is left out. */
  unprotected?: true;
}

/** The checks that planted faults must turn red, by the words they are printed with. */
export const says = {
  blocked: 'the job without evidence',
  refused: 'merging a blocked pull request',
  rewritten: 'a branch that rewrites the workflow',
  merged: 'merging it now',
  comments: 'comments on a blocked pull request',
} as const;

export const planted: readonly Planted[] = [
  {
    name: 'always-good',
    breaks: 'The job is good whatever the gate says.',
    redAt: says.blocked,
    part: 'blockedThenGreen',
    workflow: (text) => text.replace(/(npm run --silent promote .*)$/m, '$1 || true'),
  },
  {
    name: 'unprotected',
    breaks: 'Nobody asks for the status.',
    redAt: says.refused,
    part: 'blockedThenGreen',
    unprotected: true,
  },
  {
    name: 'other-status',
    breaks: 'The branch protection asks for a status that no job sets.',
    redAt: says.merged,
    part: 'blockedThenGreen',
    asks: 'promotion / promotion (push)',
  },
  {
    name: 'branch-decides',
    breaks: 'The workflow of the branch is run, not that of its base.',
    redAt: says.rewritten,
    part: 'rewritten',
    workflow: (text) => text.replace(/^ {2}pull_request_target:/m, '  pull_request:'),
    sets: 'promotion / promotion (pull_request)',
    asks: 'promotion / promotion (pull_request)',
  },
  {
    name: 'mute',
    breaks: 'The job writes no comment.',
    redAt: says.comments,
    part: 'blockedThenGreen',
    workflow: (text) => text.replace(/^(\s*)"\$SUITE\/docs\/pull-requests\/comment\.sh".*$/m, '$1true'),
  },
];
