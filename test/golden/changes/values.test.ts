/**
 * What becomes of the values of a service: `values.txt` and `resources.txt`, for each of `values.ts` what an engine is asked for beside what a plain service
 * asks for, and what `plan` tells when the other value is written there, and when it is taken back. Rewritten by `npm run golden`.
 */
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Project } from '../../../src/model/project.ts'
import { rowText, summarize } from '../../../src/plan/summary.ts'
import { labels } from '../../../src/targets/engine/labels.ts'
import type { Observed } from '../../../src/targets/engine/observed.ts'
import { filesOf } from '../../../src/targets/engine/plan/file-objects.ts'
import { imagesOf } from '../../../src/targets/engine/plan/images.ts'
import { reconcile, type UpOptions } from '../../../src/targets/engine/plan/reconcile.ts'
import { loadFiles } from '../../stack/stacks.ts'
import { applied, image, nothing } from '../../targets/engine/plan/project.ts'
import { resources, values } from './values.ts'

const rest = `
  db: {image: db, ipc: shareable}
  cache: {image: cache}
networks: {front: , back: }
volumes: {data: , logs: }
secrets: {file: {file: token}, variable: {environment: TOKEN}}
configs: {text: {content: a}, there: {external: true}}
`

function withService(members: string): string {
  const written = members.startsWith('{') ? members.slice(1, -1) : members
  return `services:\n  web: {image: web${written === '' ? '' : `, ${written}`}}${rest}`
}

function withResource(section: string): string {
  const other = section.startsWith('networks') ? 'volumes: {data: }' : 'networks: {front: }'
  return `services: {web: {image: web, networks: [front], volumes: ["data:/d"]}}\n${section}\n${other}\n`
}

async function projectOf(stack: string): Promise<Project> {
  const { project } = await loadFiles(
    { 'compose.yaml': stack, token: 'x' },
    { env: { TOKEN: 'y' }, allResources: true },
  )
  const moved = JSON.parse(JSON.stringify(project).replaceAll(project.directory, '/stack'))
  return { ...moved, place: () => undefined, places: () => [] }
}

function machineOf(project: Project): Observed {
  const images = imagesOf(project).map(name => [name, image(`sha256:${name}`)] as const)
  const external = (all: Project['networks'] | Project['volumes']) =>
    Object.values(all).flatMap(each =>
      each.external ? [[each.name, { id: each.name, name: each.name, labels: {} }] as const] : [],
    )
  const there = { networks: new Map(external(project.networks)), volumes: new Map(external(project.volumes)) }
  return nothing({
    ...there,
    images: new Map(images),
    files: new Map(filesOf(project).map(file => [file, `hash of ${file}`])),
  })
}

/** Hashes follow from the rest. */
const hidden = new Set<string>([labels.configHash, labels.fields, labels.files])

/** Members of what is asked for, by their path: those of records one by one. */
function* membersOf(value: unknown, path: string): Generator<readonly [path: string, text: string]> {
  if (value === null || typeof value !== 'object' || Array.isArray(value) || Object.keys(value).length === 0)
    yield [path, JSON.stringify(value)]
  else
    for (const [key, member] of Object.entries(value))
      if (!hidden.has(key)) yield* membersOf(member, path === '' ? key : `${path}.${key}`)
}

function asked(project: Project): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const { operation } of reconcile(project, machineOf(project)).nodes) {
    if (operation.kind === 'create-container' && operation.service === 'web')
      for (const [path, text] of membersOf({ name: operation.createName, ...operation.body, late: operation.late }, ''))
        found.set(path, text)
    if (operation.kind === 'create-network' || operation.kind === 'create-volume')
      for (const [path, text] of membersOf(operation.body, '')) found.set(`${operation.kind} ${path}`, text)
  }
  return found
}

function changes(before: Project, after: Project, options: UpOptions = {}): readonly string[] {
  const observed = machineOf(before)
  const up = applied(reconcile(before, observed), observed)
  const { images, files, networks, volumes } = machineOf(after)
  const now = {
    networks: new Map([...networks, ...up.networks]),
    volumes: new Map([...volumes, ...up.volumes]),
  }
  const plan = reconcile(after, { ...up, images, files, ...now }, options)
  const rows = summarize([plan]).map(rowText)
  return [...(rows.length === 0 ? ['no changes'] : rows), ...plan.warnings.map(text => `warning: ${text}`)]
}

function told(work: () => readonly string[]): string {
  try {
    return work()
      .map(line => `  ${line}\n`)
      .join('')
  } catch (error) {
    return `  refused: ${(error as Error).message.replaceAll('\n', '\n    ')}\n`
  }
}

async function hold(t: TestContext, name: string, { pairs, whole, plain, options }: Held): Promise<void> {
  const usual = asked(await projectOf(whole(plain)))
  const texts = []
  for (const [one, other] of pairs) {
    const [before, after] = [await projectOf(whole(one)), await projectOf(whole(other))]
    const own = told(() => {
      const found = asked(before)
      const more = [...found].filter(([path, text]) => usual.get(path) !== text)
      const gone = [...usual.keys()].filter(path => !found.has(path))
      return [...more.map(([path, text]) => `${path} = ${text}`), ...gone.map(path => `${path} is not asked for`)]
    })
    const there = told(() => changes(before, after, options))
    const back = told(() => changes(after, before, options))
    texts.push(`${one}\n${own}→ ${other || 'nothing'}\n${there}←\n${back}`)
  }
  t.assert.fileSnapshot(texts.join('\n'), join(import.meta.dirname, name), { serializers: [text => text] })
}

interface Held {
  readonly pairs: typeof values
  /** The stack that says it. */
  readonly whole: (said: string) => string
  /** What is usual, and not told of. */
  readonly plain: string
  readonly options?: UpOptions
}

test('a value of a service ends in what an engine is asked for, and its change is told', t =>
  hold(t, 'values.txt', { pairs: values, whole: withService, plain: '' }))

test('so does one of a network or volume', t =>
  hold(t, 'resources.txt', {
    pairs: resources,
    whole: withResource,
    plain: 'networks: {front: }',
    options: { recreateVolumes: true },
  }))
