/** The stacks of examples/ as a cluster is told of them. Rewritten by `npm run golden`. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { loadStack } from '../../../src/stack/load.ts'
import { asYaml, made } from '../../targets/kubernetes/inputs.ts'

const examples = fileURLToPath(new URL('../../../examples', import.meta.url))
const environment = { HOME: '/home/me', API_TOKEN: 'example' }
const folders = readdirSync(examples, { withFileTypes: true }).flatMap(each =>
  each.isDirectory() && readdirSync(join(examples, each.name)).includes('compose.yaml') ? [each.name] : [],
)

assert.ok(folders.length > 5)
for (const name of folders)
  test(name, async t => {
    const { project } = await loadStack({ cwd: join(examples, name), environment })
    const { wanted, refused, notices } = made(project)
    const comments = [...refused.map(each => `# refused: ${each}\n`), ...notices.map(each => `# ${each}\n`)].join('')
    const text = `${comments}${asYaml(wanted.map(({ manifest }) => manifest))}`.replaceAll(examples, 'examples')
    t.assert.fileSnapshot(text, fileURLToPath(new URL(`${name}.yaml`, import.meta.url)), {
      serializers: [value => value],
    })
  })
