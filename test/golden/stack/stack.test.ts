/**
 * Each folder beside this file: `compose.yaml` and perhaps `override.yaml` and `.env`; `config.json` and `config.yaml`, what they are
 * understood as, and `project.json`, what of it is acted upon; `warnings.txt`, what the reader is told. Rewritten by `npm run golden`.
 */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { formatProblem } from '../../../src/lib/problems.ts'
import { configData, configYaml } from '../../../src/stack/config-output.ts'
import { loadStack } from '../../../src/stack/load.ts'

for (const entry of readdirSync(import.meta.dirname, { withFileTypes: true })) {
  if (!entry.isDirectory()) continue
  const folder = join(import.meta.dirname, entry.name)
  test(`the stack of ${entry.name} is understood as written`, async t => {
    const files = ['compose.yaml', 'override.yaml'].map(name => join(folder, name)).filter(path => existsSync(path))
    const stack = await loadStack({ files, environment: {}, cwd: folder })
    const portable = (text: string): string => text.replaceAll(folder, '/stack')
    const serializers = [(text: unknown) => String(text)]
    const config = portable(`${JSON.stringify(configData(stack), null, 2)}\n`)
    t.assert.fileSnapshot(config, join(folder, 'config.json'), { serializers })
    t.assert.fileSnapshot(portable(configYaml(stack)), join(folder, 'config.yaml'), { serializers })
    const project = portable(`${JSON.stringify(stack.project, null, 2)}\n`)
    t.assert.fileSnapshot(project, join(folder, 'project.json'), { serializers })
    const warnings = stack.warnings.map(problem => `${formatProblem(problem)}\n`).join('')
    t.assert.fileSnapshot(portable(warnings), join(folder, 'warnings.txt'), { serializers })
  })
}
