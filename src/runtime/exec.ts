/** ExecSpec → Program: join the container's namespaces and cgroup, then the same end as a container's. */

import { superviseSteps } from './compile.ts'
import type { HostFacts } from './host.ts'
import { enterSteps } from './parts/cgroup.ts'
import { slots } from './parts/mounts.ts'
import { cloneFlags } from './parts/namespaces.ts'
import { apparmorSteps, processSteps, stdioStep } from './parts/process.ts'
import type { Program } from './program.ts'
import type { ExecSpec } from './spec.ts'
import { step } from './steps.ts'

/** The pid namespace is joined by the monitor and so by its next child; the others by the child itself. */
export function compileExec(spec: ExecSpec, facts: HostFacts, filter: Buffer | undefined): Program {
  const { mnt, cgroup, uts, ipc, pid, net } = cloneFlags
  return {
    host: [
      ...superviseSteps(spec.supervise, ''),
      stdioStep(spec.stdio, spec.process.user.uid),
      step('target', { pid: spec.pid, cgroup: `/${spec.cgroupPath}` }, 'exec'),
      step('join', { flags: pid }, 'exec'),
      step('clone', { flags: 0 }, 'exec'),
    ],
    child: [
      ...enterSteps(facts.cgroup, spec.cgroupPath),
      ...apparmorSteps(spec.process.apparmor),
      step('join', { flags: mnt | cgroup | uts | ipc | net }, 'exec'),
      ...(spec.stdio.terminal ? [step('open-folder', { slot: slots.pts, path: '/dev/pts' }, 'exec')] : []),
      ...processSteps(spec.process, { stdio: spec.stdio, filter, facts, init: false, console: false }),
    ],
  }
}
