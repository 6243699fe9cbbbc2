/** The roads of the command line, for the web view: a stack is read, foreseen and applied there as by `up` in its folder. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Client } from '../client/client.ts'
import { serviceGraph } from '../graph/services.ts'
import { errnoOf, Failure } from '../lib/failure.ts'
import { type Problem, ProblemsFailure } from '../lib/problems.ts'
import { stableHash } from '../lib/stable-json.ts'
import type { Project } from '../model/project.ts'
import type { Plan } from '../plan/plan.ts'
import { type Phases, planJson } from '../plan/print.ts'
import { foresee } from '../targets/engine/converge.ts'
import type { Foretold, ReadStack, Roads, StackPlace } from '../web/roads.ts'
import type { JobMessage, PlanWish } from '../web/wire.ts'
import { bringUp, upOptions, type Wanted, wantedOf } from './bring-up.ts'
import type { Call } from './command.ts'
import { backTo } from './going-back.ts'
import { loadProject } from './project.ts'
import { parse, valuesOf } from './values.ts'
import { callFor } from './web-calls.ts'
import { jobMessages } from './web-progress.ts'

export async function webRoads(call: Call, client: Client): Promise<Roads> {
  const shared = { ...call, connect: async () => client }
  return {
    client,
    env: call.env,
    here: await placeHere(shared),
    async schema() {
      const [{ stackSchema }, { attributePaths }, { supportTable }] = await Promise.all([
        import('../stack/json-schema.ts'),
        import('../stack/attributes.ts'),
        import('../targets/engine/support.ts'),
      ])
      return stackSchema(supportTable(attributePaths()))
    },
    read: (place, unsaved) => readStack(shared, place, unsaved),
    async foresee(place, wish) {
      const { said, ...at } = await standAt(shared, place, wish)
      const { id, phases } = await foretell(at)
      const followers = [...followersOf(phases, at.wanted.loaded.project)].sort()
      const { files = [] } = at.wanted
      return { id, plan: planJson(phases), said, followers, files } satisfies Foretold
    },
    apply: (place, wish, tell) => apply(shared, place, wish, tell),
    async turn(place, { verb, services }, tell) {
      const own = await callFor(shared, place, line => tellLine(line, tell))
      const page = await call.commands.find(({ name }) => name === verb)!.load()
      const options = valuesOf(page.options, parse([], page.options)) as Call['options']
      // by its name: what runs is turned though its files be broken
      const globals = { ...own.globals, file: [], 'project-directory': undefined, 'project-name': place.name }
      await page.run({ ...own, globals, options, args: services })
    },
  }
}

/** The stack that a command typed here would be about; undefined where there is none. */
async function placeHere(call: Call): Promise<StackPlace | undefined> {
  try {
    const { project } = await loadProject({ ...call, screen: quiet(call) })
    const { name, directory, files } = project
    return files.includes('-') ? undefined : { name, directory, files }
  } catch (error) {
    // no stack here, or a broken one: the view shows all others
    if (error instanceof Failure) return undefined
    throw error
  }
}

function quiet({ screen }: Call): Call['screen'] {
  return Object.create(screen, { say: { value: () => undefined }, warn: { value: () => undefined } }) as Call['screen']
}

async function readStack(
  base: Call,
  place: StackPlace,
  unsaved: ReadonlyMap<string, string> | undefined,
): Promise<ReadStack> {
  const call = await callFor(base, place, () => undefined)
  const files = new Set<string>()
  let warnings: readonly Problem[] = []
  try {
    const loaded = await loadProject(call, {
      making: { services: 'all' },
      unsaved,
      locked: false,
      onRead: path => files.add(path),
      onWarnings: problems => {
        warnings = problems
      },
    })
    return { project: loaded.project, problems: warnings, files: [...files] }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    const problems =
      error instanceof ProblemsFailure
        ? error.problems
        : [
            {
              severity: 'error' as const,
              code: error.kind,
              place: undefined,
              path: [],
              message: error.message,
              ...(error.hint !== undefined && { hint: error.hint }),
            },
          ]
    return { project: undefined, problems, files: [...files] }
  }
}

interface Standing {
  readonly call: Call
  readonly wanted: Wanted
  readonly wish: PlanWish
}

/** The stack as it is wanted: as its files say, or as an apply of its history did. */
async function standAt(
  base: Call,
  place: StackPlace,
  wish: PlanWish,
  tell: (line: string) => void = () => undefined,
): Promise<Standing & { readonly said: readonly string[] }> {
  const said: string[] = []
  const call = await callFor(base, place, line => {
    said.push(line)
    tell(line)
  })
  if (wish.to !== undefined) {
    const named = { ...call, globals: { ...call.globals, 'project-name': place.name } }
    const { wanted } = await backTo(named, wish.to, {})
    return { call: named, wanted, wish, said }
  }
  const values = {
    ...valuesOf(upOptions, parse([], upOptions)),
    build: wish.build ?? false,
    'force-recreate': wish.recreate ?? false,
    'remove-orphans': wish.removeOrphans ?? false,
    ...(wish.pull ? { pull: 'always' } : {}),
  }
  const asked = { ...call, args: wish.services ?? [] }
  return { call: asked, wanted: await wantedOf(asked, values), wish, said }
}

/** What would be done, and its id: of the operations whole, and of the files they come from, byte by byte. */
async function foretell({ call, wanted, wish }: Standing) {
  const { loaded, client, options, accept, files = [] } = wanted
  const { pulls, builds, plan } = await foresee({
    client,
    project: loaded.project,
    options,
    accept,
    signal: call.signal,
  })
  const contents = [...files].sort().map(path => [path, contentHash(path)])
  const id = stableHash({ wish, contents, pulls: whole(pulls), builds: whole(builds), plan: whole(plan) }).slice(0, 32)
  return { id, phases: { pulls, builds, plan } }
}

function whole({ nodes }: Plan) {
  return nodes.map(({ operation, after }) => ({ operation, after }))
}

/** Services whose containers are made anew when a build or a pull of the plan brings another image, and those that go with them. */
function followersOf({ pulls, builds }: Phases, project: Project): ReadonlySet<string> {
  const graph = serviceGraph(project)
  const found = new Set<string>()
  const open = [...pulls.nodes, ...builds.nodes].flatMap(({ operation: { service, services } }) =>
    service === undefined ? (services ?? []) : [service],
  )
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name)) continue
    found.add(name)
    if (graph.has(name)) open.push(...graph.dependents(name))
  }
  return found
}

/** What is the same whatever image a build or a pull has brought: what is done to other services and things, and what loses data. */
function apartFrom(followers: ReadonlySet<string>, plan: Plan) {
  const rest = plan.nodes.filter(({ operation: { service } }) => service === undefined || !followers.has(service))
  return {
    rest: rest.map(({ operation: { kind, name } }) => `${kind} ${name}`).sort(),
    lost: plan.destructive().map(({ operation: { kind, name } }) => `${kind} ${name}`),
  }
}

function contentHash(path: string): string {
  try {
    return createHash('sha256').update(readFileSync(path)).digest('hex')
  } catch (error) {
    // looked for in vain, or a folder: that it is so counts too
    return errnoOf(error) ?? 'unreadable'
  }
}

async function apply(
  base: Call,
  place: StackPlace,
  wish: PlanWish & { readonly id: string },
  tell: (message: JobMessage) => void,
): Promise<void> {
  const { id: agreed, ...wished } = wish
  const at = await standAt(base, place, wished, line => tellLine(line, tell))
  const { call, wanted } = at
  let phases: Awaited<ReturnType<typeof foretell>>['phases'] | undefined
  await bringUp(call, wanted, {
    yes: true,
    ...(wish.to !== undefined && { command: 'rollback', to: wish.to }),
    // when it is this one's turn: whoever had it before may have changed what is there
    before: async () => {
      const now = await foretell(at)
      if (now.id !== agreed) throw changed('Its files, or what runs, have changed since it was shown')
      phases = now.phases
      return true
    },
    ask: async plan => {
      const { pulls, builds, plan: shown } = phases!
      const followers = followersOf(phases!, wanted.loaded.project)
      const asShown = (one: Plan) => (pulls.empty && builds.empty ? whole(one) : apartFrom(followers, one))
      if (stableHash(asShown(plan)) !== stableHash(asShown(shown)))
        throw changed('With the images that were pulled or built it is another one')
      return true
    },
  })
}

function changed(why: string): Failure {
  return new Failure('conflict', `Cannot apply this plan: ${why[0]!.toLowerCase()}${why.slice(1)}`, {
    hint: 'Look at the plan as it is now',
  })
}

function tellLine(line: string, tell: (message: JobMessage) => void): void {
  for (const message of jobMessages(line)) tell(message)
}
