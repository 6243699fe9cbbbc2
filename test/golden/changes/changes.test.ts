/**
 * What becomes of stacks that between them use every attribute: `made.json`, what is asked of an engine that has none of it yet; `changes.txt`,
 * what `plan` tells of each attribute that is taken out, or has another value, once all is up. Rewritten by `npm run golden`.
 */
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Project } from '../../../src/model/project.ts'
import { rowText, summarize } from '../../../src/plan/summary.ts'
import { attributePaths } from '../../../src/stack/attributes.ts'
import { labels } from '../../../src/targets/engine/labels.ts'
import type { Observed } from '../../../src/targets/engine/observed.ts'
import { reconcile } from '../../../src/targets/engine/plan/reconcile.ts'
import { loadFiles } from '../../stack/stacks.ts'
import { applied, image, nothing } from '../../targets/engine/plan/project.ts'
import { type Data, files, stacks } from '../../targets/engine/stacks.ts'
import { without } from '../../targets/engine/without.ts'

/** As of a folder that is the same each time. */
async function projectOf(stack: Data): Promise<Project> {
  const { project } = await loadFiles({ ...files, 'compose.yaml': JSON.stringify(stack) }, { env: { PATH: '/bin' } })
  const moved = JSON.parse(JSON.stringify(project).replaceAll(project.directory, '/stack'))
  return { ...moved, place: () => undefined, places: () => [] }
}

/** With what is external, all images, and the contents of all files. */
function machineOf(project: Project): Observed {
  const named = new Map(['mm', 'ww', 'm', 'w'].map(name => [name, { id: name, name, labels: {} }] as const))
  const images = Object.values(project.services).map(({ image: ref = '' }) => [ref, image(`sha256:${ref}`)] as const)
  const sources = [...Object.values(project.secrets), ...Object.values(project.configs)].map(({ source }) => source)
  const hashes = sources.flatMap(source =>
    source.kind === 'file' ? [[source.file, `hash of ${source.file}`] as const] : [],
  )
  return nothing({ networks: named, volumes: named, images: new Map(images), files: new Map(hashes) })
}

function hold(t: TestContext, text: string, name: string): void {
  t.assert.fileSnapshot(text, join(import.meta.dirname, name), { serializers: [value => value] })
}

/** Hashes follow from the rest, and from where the stack is. */
const hidden = new Set<string>([labels.configHash, labels.fields])

test('every attribute ends in what an engine is asked for', async t => {
  const told = []
  for (const stack of stacks) {
    const project = await projectOf(stack)
    const made = reconcile(project, machineOf(project)).nodes.map(({ operation }) => operation)
    const shown = JSON.stringify(made, (key, value) => (hidden.has(key) ? undefined : value), 2)
    told.push(shown)
  }
  hold(t, `[${told.join(',\n')}]\n`, 'made.json')
})

test('an attribute that is taken out is told by its name and its value', async t => {
  const told = []
  for (const path of attributePaths().filter(path => path !== 'services'))
    for (const [index, stack] of stacks.entries()) {
      const changed = without(stack, path)
      if (changed === undefined) continue
      told.push(`${path} of ${index + 1}\n${await change(stack, changed)}`)
    }
  hold(t, told.join(''), 'changes.txt')
})

async function change(stack: Data, changed: Data): Promise<string> {
  const before = await projectOf(stack)
  const observed = machineOf(before)
  const up = applied(reconcile(before, observed), observed)
  try {
    const project = await projectOf(changed)
    const machine = machineOf(project)
    const now = { ...up, images: new Map([...up.images, ...machine.images]), files: machine.files }
    const rows = summarize([reconcile(project, now)]).map(rowText)
    return rows.length === 0 ? '  no changes\n' : rows.map(row => `  ${row}\n`).join('')
  } catch (error) {
    return `  refused: ${(error as Error).message.replaceAll('\n', '\n    ')}\n`
  }
}
