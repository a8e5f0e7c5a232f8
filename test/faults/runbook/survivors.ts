const tellsOnly = 'it only tells the operator: the step after it refuses by itself when it would not pass';
const bothLook = 'both only look, or are needed in any order: the outcome is the same';
const covered = 'the wait that is left passes no sooner than the one that is missing';
const unsealedAlready = 'the playbook before it ends only when Vault is active';
const restoreRefuses = 'the playbook looks for a backup itself, and refuses without one';
const comparedTooEarly = 'needed where Argo CD compared before Git answered';
const hasNoPower = 'in the drill the machine has no power, whoever looks';
const powerComesBack =
  'it tells whether the machines that are left carry everything; in the drill the power comes back whatever it says';
const looksLater = 'the drill looks later than the second in which a machine learns the address';
const oldLook = 'needed where Argo CD still believes a look from before the restore';
const anyOrder = 'both are needed, in any order';

/** Mutants that may end as survived, each with why that is right: by drill and mutant, or by mutant for whatever drill. */
const knownSurvivors: Readonly<Record<string, string>> = {
  'drop vault-is-unsealed': unsealedAlready,
  'swap vault-is-unsealed vso-log-in-anew': unsealedAlready,
  'drop vso-logins-are-valid': 'nothing is leased without a valid login, and the step after it waits for the leases',
  'swap vso-logins-are-valid leases-are-new': bothLook,
  'drop leases-are-new':
    'the waits for the apps that follow take longer in the drill than the operator needs to lease anew',
  'swap vso-log-in-anew vso-logins-are-valid': 'the leases, waited for after both, need a login of the new pod',
  'drop apps-are-complete': covered,
  'swap apps-are-complete argo-cd-compares-all': bothLook,
  'drop argo-cd-compares-all': comparedTooEarly,
  'drop pods-run-since-power-on':
    'needed where Kubernetes shows pods of before the power cut for longer than the steps before this one take',
  'swap pods-run-since-power-on apps-are-complete': bothLook,
  'drop applications-are-healthy':
    'needed where Argo CD is not content with apps that are complete; in the drills it is, before the last look has ended',
  'swap argo-cd-compares-all applications-are-healthy': comparedTooEarly,
  'swap applications-are-healthy apps-answer': bothLook,
  'drop apps-answer': 'Argo CD calls an app healthy only when its pods answer, and it is asked before',
  'drop etcd-is-intact': 'it only tells the operator that this section is the right one; in the drill it is',
  'argocd-pruned: drop app-is-at-the-new-commit': covered,
  'drop app-has-an-address': 'the step after it needs the address, too',
  'drop every-machine-reaches-the-app': looksLater,
  'swap app-is-at-the-new-commit app-has-an-address': bothLook,
  'swap app-has-an-address every-machine-reaches-the-app': bothLook,
  'corrupt what-argo-cd-says': 'what is shown for the record decides nothing',
  'argocd-drift: drop argo-cd-compares-now': 'with selfHeal Argo CD looks by itself; asking only makes it sooner',
  'drop database-is-missing': tellsOnly,
  'drop newest-backup': tellsOnly,
  'swap database-is-missing newest-backup': bothLook,
  'swap newest-backup database-restore': restoreRefuses,
  'swap every-pod-has-reconnected app-is-ready': bothLook,
  'swap app-is-ready argo-cd-looks-again': bothLook,
  'drop argo-cd-looks-again': oldLook,
  'swap argo-cd-looks-again application-is-healthy-again': oldLook,
  'drop application-is-healthy-again':
    'needed where Argo CD takes longer to look than the last step of the section does',
  'swap application-is-healthy-again machines-reach-the-app-again': bothLook,
  'drop machines-reach-the-app-again': looksLater,
  'drop every-pod-has-reconnected': 'needed where the restore takes less time than two probes of the app',
  'drop app-is-ready': 'a pod that answers is ready before Argo CD has looked again',
  'volume-lost: drop no-folder-is-left': 'it only tells the operator: folders stay on the disks whatever follows',
  'volume-lost: drop backups-of-the-volume': tellsOnly,
  'volume-lost: swap no-folder-is-left backups-of-the-volume': bothLook,
  'volume-lost: swap backups-of-the-volume empty-volume-away': bothLook,
  'volume-lost: corrupt no-folder-is-left': 'the typo is in how folders in use are told apart: in the drill none is',
  'volume-lost: drop empty-volume-away': 'in the drill no volume was made again: there is none to take away',
  'node-kill-agent: drop node-has-no-power': hasNoPower,
  'node-kill-agent: drop workloads-have-moved': powerComesBack,
  'node-kill-agent: drop node-is-back': 'replicas, waited for after it, are rebuilt only on a machine that is back',
  'node-kill-agent: drop nothing-is-stuck':
    'what is stuck was taken off the records before, or goes while the replicas are rebuilt',
  'node-kill-agent: drop replicas-are-rebuilt':
    'the apps, waited for after it, take longer than the little they missed',
  'node-kill-agent: swap node-has-no-power node-out-of-service': hasNoPower,
  'node-kill-agent: swap workloads-have-moved node-power-on': powerComesBack,
  'node-kill-agent: swap node-is-back forget-dead-pods':
    'needed where a kubelet that is back looks for a mount for ever',
  'node-kill-agent: swap forget-dead-pods node-in-service': anyOrder,
  'node-kill-agent: swap node-in-service nothing-is-stuck': anyOrder,
  'node-kill-agent: swap nothing-is-stuck replicas-are-rebuilt': bothLook,
  'node-kill-agent: drop forget-dead-pods': 'needed where the power is back before the last dead pod was forgotten',
  'node-kill-agent: corrupt forget-dead-pods':
    'the typo selects no pod, as if the step were dropped; an empty selection is right when no pod is left there',
  'node-kill-agent: corrupt nothing-is-stuck':
    'a mistyped field is empty, and empty is what it looks for; as if the step were dropped',
  'node-kill-server: drop server-is-ready': 'Vault, waited for next, runs on this machine and answers only there',
  'node-kill-server: swap api-is-back etcd-is-intact':
    'one request for another: one before the API server serves is refused, or held until it does, as it happens',
  'node-kill-server: swap etcd-is-intact server-is-ready': bothLook,
  'corrupt erp-hold':
    'by chance: without the annotation Argo CD scales the ERP up, too early, unless selfHeal pauses, as after drill upon drill',
  'drop machines-answer': covered,
  'drop api-answers':
    'in the drill the API server serves by the time the last machine answers, or soon enough for kubectl',
  'drop postgres-answers': covered,
  'drop nodes-are-ready': covered,
  'drop storage-answers': covered,
  'drop volumes-are-whole': covered,
  'drop erp-is-up': covered,
  'drop erp-applications-are-healthy': covered,
  'drop erp-answers': 'a last look: in the drill the ERP that Argo CD calls healthy answers',
  'swap machines-answer api-answers': bothLook,
  'swap api-answers erp-hold': 'as without the wait',
  'swap erp-hold postgres-answers': anyOrder,
  'swap postgres-answers nodes-are-ready': bothLook,
  'swap nodes-are-ready storage-answers': bothLook,
  'swap storage-answers volumes-are-whole': bothLook,
  'swap erp-is-up erp-applications-are-healthy': bothLook,
  'swap erp-applications-are-healthy erp-answers': bothLook,
  'drop ca-answers': tellsOnly,
  'drop root-differs': 'it only tells the operator that the section is the right one; in the drill it is',
  'swap ca-answers root-differs': bothLook,
  'drop issuer-is-ready':
    'cert-manager keeps what is asked of it until the issuer is ready; the step names the reason sooner',
  'swap issuer-registers issuer-is-ready': 'the issuer says that it is ready before the step, too: of the CA that was',
  'drop certificates-are-issued': 'needed where the CA issues slower than machines and pods are asked',
  'swap issuer-is-ready reissue-certificates':
    'as without the wait: cert-manager keeps what is asked of it until the issuer is ready',
  'swap certificates-are-issued machines-verify': bothLook,
  'swap reissue-certificates certificates-are-issued': 'the same: what waits is looked at before anything waits',
  'drop pods-verify': 'a last look: in the drill the steps before it have repaired what it looks at',
  'drop machines-verify': 'a look that the pods, asked after it, stand for',
  'swap machines-verify pods-verify': bothLook,
  'etcd-damaged: drop etcd-does-not-serve': tellsOnly,
  'etcd-damaged: drop newest-backup-of-etcd': tellsOnly,
  'etcd-damaged: drop api-serves-again': 'in the drill the API server serves again before the machines have restarted',
  'etcd-damaged: drop watchers-look-anew':
    'it makes it sooner: who watches the API server looks again by itself, after up to a minute',
  'etcd-damaged: swap newest-backup-of-etcd etcd-restore': restoreRefuses,
  'etcd-damaged: swap api-serves-again watchers-look-anew': 'in the drill the API server serves again at once',
  'etcd-damaged: corrupt etcd-does-not-serve': 'the typo is in what is shown to the operator',
  'etcd-damaged: swap etcd-does-not-serve newest-backup-of-etcd': bothLook,
};

/** Why a mutant may survive a drill, if there is a reason on record. */
export function reasonFor(drill: string, mutant: string): string | undefined {
  return knownSurvivors[`${drill}: ${mutant}`] ?? knownSurvivors[mutant];
}
