/**
 * Each folder beside this file: `compose.yaml`, what is wanted; `before.yaml`, what is up, if anything; `plan.txt`, what `up` then does.
 * Rewritten by `npm run golden`.
 */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Project } from '../../../src/model/project.ts'
import { filesOf } from '../../../src/plan/file-objects.ts'
import { imagesOf } from '../../../src/plan/images.ts'
import { printPlan } from '../../../src/plan/print.ts'
import { reconcile } from '../../../src/plan/reconcile.ts'
import { loadStack } from '../../../src/stack/load.ts'
import { applied, image, nothing } from '../../plan/project.ts'

async function load(folder: string, file: string): Promise<Project> {
  const stack = await loadStack({ files: [join(folder, file)], environment: {}, cwd: folder, projectName: 'shop' })
  return stack.project
}

for (const entry of readdirSync(import.meta.dirname, { withFileTypes: true })) {
  if (!entry.isDirectory()) continue
  const folder = join(import.meta.dirname, entry.name)
  test(`the plan of ${entry.name} is as written`, async t => {
    let observed = nothing({ images: new Map() })
    if (existsSync(join(folder, 'before.yaml'))) {
      const before = await load(folder, 'before.yaml')
      // its images are here
      const images = new Map(imagesOf(before).map(name => [name, image(`sha256:${name}`)]))
      observed = applied(reconcile(before, { ...observed, images }), { ...observed, images })
    }
    const project = await load(folder, 'compose.yaml')
    const files = new Map(filesOf(project).map(file => [file, 'present']))
    const plan = reconcile(project, { ...observed, files })
    const warnings = plan.warnings.map(text => `warning: ${text}\n`).join('')
    t.assert.fileSnapshot(printPlan(plan) + warnings || 'no changes\n', join(folder, 'plan.txt'), {
      serializers: [(text: unknown) => String(text)],
    })
  })
}
