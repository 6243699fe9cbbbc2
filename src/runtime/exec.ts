/** ExecSpec → Program: join the container's namespaces and cgroup, then the same end as a container's. */

import { superviseSteps } from './compile.ts'
import type { HostFacts } from './host.ts'
import { entrySteps } from './parts/cgroup.ts'
import { standsIn } from './parts/group-within.ts'
import { cloneFlags } from './parts/namespaces.ts'
import { apparmorSteps, processSteps, stdioStep } from './parts/process.ts'
import { slots } from './parts/slots.ts'
import { checkUser, raiseSteps } from './parts/user-namespace.ts'
import type { Program } from './program.ts'
import type { ExecSpec } from './spec.ts'
import { step } from './steps.ts'

/**
 * Whoever joins a pid namespace stays outside of it; only a child is born in it, and seen in there. So rights are given up and all
 * namespaces joined before that child is made: a container that may trace its processes gets hold of nothing more.
 */
export function compileExec(spec: ExecSpec, facts: HostFacts, filter: Buffer | undefined): Program {
  const { mnt, cgroup, uts, ipc, pid, net } = cloneFlags
  const entry = entrySteps(facts.cgroup, spec.cgroupPath)
  const { ids } = spec
  if (ids) checkUser(spec.process, ids)
  return {
    host: [
      // of an exec's end, only the engine that started it wants to know
      ...superviseSteps(spec.supervise, { oom: '', lasting: false }),
      stdioStep(spec.stdio, spec.process, ids),
      step('target', { pid: spec.pid, cgroup: standsIn(facts.cgroup, spec.cgroupPath) }, 'exec'),
      ...entry.host,
      step('clone', { flags: 0 }, 'exec'),
    ],
    child: [
      ...entry.child,
      ...apparmorSteps(spec.process.apparmor),
      ...(ids ? raiseSteps(spec.process.rlimits) : []),
      step('join', { flags: pid | mnt | cgroup | uts | ipc | net | (ids ? cloneFlags.user : 0) }, 'exec'),
      // whoever has no id inside owns nothing there
      ...(ids ? [step('user-root', {}, 'HostConfig.UsernsMode')] : []),
      ...(spec.stdio.terminal ? [step('open-folder', { slot: slots.pts, path: '/dev/pts' }, 'exec')] : []),
      ...processSteps(spec.process, { stdio: spec.stdio, filter, facts, init: false, inside: false }),
    ],
  }
}
