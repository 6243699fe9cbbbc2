/** What a shell completes by names that are only known when it asks: services, profiles, images. Nothing is started or written for it. */
import { endpoints } from '../api/endpoints.ts'
import { answers } from '../client/answers.ts'
import { chooseHost, parseHost } from '../client/host.ts'
import type { Project } from '../model/project.ts'
import type { Call } from './command.ts'

export const kinds = ['service', 'container', 'profile', 'project', 'image'] as const
export type WordKind = (typeof kinds)[number]

/** Sorted, without doubles; none where a file is broken or no engine answers: a shell that completes shows no errors. */
export async function wordsOf(kind: WordKind, call: Call): Promise<readonly string[]> {
  try {
    return [...new Set(await sources[kind](call))].filter(word => word !== '').sort()
  } catch {
    // what is wrong the command itself will say
    return []
  }
}

const sources: Readonly<Record<WordKind, (call: Call) => Promise<readonly string[]>>> = {
  async service(call) {
    return Object.keys((await projectOf(call)).services)
  },
  /** Services that have a container; without an engine those of the file. */
  async container(call) {
    if (!(await hasEngine(call))) return await sources.service(call)
    const [{ replicasOf }, { serviceOf }] = await Promise.all([import('./replicas.ts'), import('../view/names.ts')])
    const { containers } = await replicasOf(call, { all: true })
    return containers.map(serviceOf)
  },
  async profile(call) {
    return Object.values((await projectOf(call)).services).flatMap(({ profiles }) => profiles)
  },
  async project(call) {
    if (!(await hasEngine(call))) return []
    const [{ labels }, client] = await Promise.all([import('../targets/engine/labels.ts'), call.connect()])
    const found = await client.call(
      endpoints.containerList,
      { query: { all: true, filters: { label: [labels.project] } } },
      { signal: call.signal },
    )
    return found.map(({ Labels }) => Labels?.[labels.project] ?? '')
  },
  async image(call) {
    if (!(await hasEngine(call))) return []
    const client = await call.connect()
    const found = await client.call(endpoints.imageList, {}, { signal: call.signal })
    return found.flatMap(({ RepoTags }) => RepoTags ?? [])
  },
}

/** With the services of every profile. */
async function projectOf(call: Call): Promise<Project> {
  const { loadProject } = await import('./project.ts')
  const { project } = await loadProject({ ...call, globals: { ...call.globals, profile: ['*'] } })
  return project
}

/** So that no key pressed starts one. */
async function hasEngine({ globals, env }: Call): Promise<boolean> {
  const { host, tls } = chooseHost(globals.host, env)
  const place = parseHost(host, tls)
  return place.kind !== 'unix' || (await answers(place.path))
}
