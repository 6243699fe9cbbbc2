/** The stacks of examples/ as a swarm is told of them. Rewritten by `npm run golden`. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { ProblemsFailure } from '../../../src/lib/problems.ts'
import { loadStack } from '../../../src/stack/load.ts'
import { filesOf } from '../../../src/targets/swarm/plan/files.ts'
import { reconcile } from '../../../src/targets/swarm/plan/reconcile.ts'
import { nothing } from '../../targets/swarm/there.ts'

const examples = fileURLToPath(new URL('../../../examples', import.meta.url))
const environment = { HOME: '/home/me', API_TOKEN: 'example' }
const folders = readdirSync(examples, { withFileTypes: true }).flatMap(each =>
  each.isDirectory() && readdirSync(join(examples, each.name)).includes('compose.yaml') ? [each.name] : [],
)

assert.ok(folders.length > 5)
for (const name of folders)
  test(name, async t => {
    const { project } = await loadStack({ cwd: join(examples, name), environment })
    const files = new Map(filesOf(project).map(file => [file, `hash of ${file.replace(examples, 'examples')}`]))
    const text = told(() => {
      const plan = reconcile(project, nothing({ files }), {})
      return [
        ...plan.warnings.map(each => `# ${each}\n`),
        ...plan.nodes.map(({ operation }) => `# ${operation.kind} ${operation.name}\n${asYaml(operation)}`),
      ].join('')
    })
    const golden = fileURLToPath(new URL(`${name}.yaml`, import.meta.url))
    t.assert.fileSnapshot(text.replaceAll(examples, 'examples'), golden, { serializers: [value => value] })
  })

function told(make: () => string): string {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof ProblemsFailure)) throw error
    return error.problems.map(({ path, message }) => `# refused: ${path.join('.')} ${message}\n`).join('')
  }
}

/** What the call is made with. */
function asYaml(operation: object): string {
  const of = operation as Readonly<Record<string, unknown>>
  const body = of['spec'] ?? of['body'] ?? (of['file'] as { readonly spec?: unknown } | undefined)?.spec
  return body === undefined ? '' : stringify(JSON.parse(JSON.stringify(body)), { lineWidth: 0 })
}
