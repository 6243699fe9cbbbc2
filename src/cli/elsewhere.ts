/** The commands on a target that is not the engine of one machine; what it lacks is refused by name. */
import { Failure } from '../lib/failure.ts'
import type { TargetName } from '../targets/target.ts'
import type { Call } from './command.ts'

type Elsewhere = Exclude<TargetName, 'engine'>
type Run = (call: Call, target: Elsewhere) => Promise<number>

const runs: Readonly<Record<string, Run>> = {
  up: async (...given) => (await import('./elsewhere/up.ts')).up(...given),
  plan: async (...given) => (await import('./elsewhere/plan.ts')).plan(...given),
  down: async (...given) => (await import('./elsewhere/down.ts')).down(...given),
  ps: async (...given) => (await import('./elsewhere/ps.ts')).ps(...given),
  logs: async (...given) => (await import('./elsewhere/logs.ts')).logs(...given),
}

const onNode = 'Run it on the node of the task, with --target engine or the docker command'

/** Command → what to do instead. Those that are in neither table know no target: config, login, engine status. */
const lacking: Readonly<Record<string, string>> = {
  watch: 'Watch on one machine: --target engine',
  build: 'Build with --target engine, push, then up',
  pull: 'Nodes pull what they run',
  push: 'Push with --target engine, then up',
  jobs: 'Use ps, or deploy.mode replicated-job',
  rollback:
    'Run up with the file as it was; deploy.update_config.failure_action: rollback does it when an update fails',
  'snapshot create': 'Volumes are of each node',
  'snapshot ls': 'Volumes are of each node',
  'snapshot restore': 'Volumes are of each node',
  'snapshot rm': 'Volumes are of each node',
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
  events: 'Use ps, or "docker events" on a manager',
  top: onNode,
  port: 'Use ps, which shows ports',
  url: 'Use ps, which shows ports',
  images: 'Use ps, which shows images',
  explain: 'Use plan',
  stats: onNode,
  volumes: 'Volumes are of each node',
  exec: onNode,
  run: 'Use deploy.mode replicated-job, or --target engine',
  cp: onNode,
  attach: 'Use logs -f',
  export: onNode,
  commit: onNode,
}

/** What a command does on a target; undefined where it is the same everywhere. @throws Failure unsupported for what the target lacks */
export async function commandOn(
  target: Elsewhere,
  name: string,
): Promise<((call: Call) => Promise<number>) | undefined> {
  const run = Object.hasOwn(runs, name) ? runs[name] : undefined
  if (run) return call => run(call, target)
  if (Object.hasOwn(lacking, name))
    throw new Failure('unsupported', `The target ${target} has no "${name}"`, {
      hint: lacking[name]!,
    })
  return undefined
}
