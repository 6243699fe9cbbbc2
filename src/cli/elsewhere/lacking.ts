/** Commands that a target lacks, each with what to do instead; those that are not here run there, or know no target. */
import type { TargetName } from '../../targets/target.ts'

type Instead = Readonly<Record<string, string>>

/** Of whatever has a scheduler of its own. */
const scheduled: Instead = {
  watch: 'Watch on one machine: --target engine',
  build: 'Build with --target engine, push, then up',
  pull: 'Nodes pull what they run',
  push: 'Push with --target engine, then up',
  jobs: 'Use ps, or deploy.mode replicated-job',
  create: 'Use up --scale SERVICE=0',
  start: 'Use up --scale SERVICE=N',
  stop: 'Use up --scale SERVICE=0',
  restart: 'Use up --force-recreate SERVICE',
  pause: 'Use up --scale SERVICE=0',
  unpause: 'Use up',
  kill: 'Use up --force-recreate SERVICE, or up --scale SERVICE=0',
  scale: 'Use up --scale SERVICE=N',
  wait: 'Use up, which waits, or deploy.mode replicated-job',
  rm: 'Use down SERVICE',
  port: 'Use ps, which shows ports',
  images: 'Use ps, which shows images',
  explain: 'Use plan',
  run: 'Use deploy.mode replicated-job, or --target engine',
  attach: 'Use logs -f',
}

const onNode = 'Run it on the node of the task, with --target engine or the docker command'
const ofNodes = 'Volumes are of each node'

const swarm: Instead = {
  ...scheduled,
  'snapshot create': ofNodes,
  'snapshot ls': ofNodes,
  'snapshot restore': ofNodes,
  'snapshot rm': ofNodes,
  volumes: ofNodes,
  top: onNode,
  stats: onNode,
  cp: onNode,
  export: onNode,
  commit: onNode,
}

const snapshots = 'Use the VolumeSnapshots of the cluster'
const inPod = 'Use exec'

const kubernetes: Instead = {
  ...scheduled,
  'snapshot create': snapshots,
  'snapshot ls': snapshots,
  'snapshot restore': snapshots,
  'snapshot rm': snapshots,
  volumes: 'Use "kubectl get pvc"',
  top: inPod,
  stats: 'Use "kubectl top pods"',
  cp: 'Use exec with tar',
  export: inPod,
  commit: 'Build an image',
}

const lacking: Readonly<Record<Exclude<TargetName, 'engine'>, Instead>> = { swarm, kubernetes }

export function insteadOn(target: Exclude<TargetName, 'engine'>, command: string): string | undefined {
  const found = lacking[target]
  return Object.hasOwn(found, command) ? found[command] : undefined
}
