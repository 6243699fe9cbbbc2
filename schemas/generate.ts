/** Writes the generated files: `npm run generate`. A test holds that they are fresh. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { progressSchema } from '../src/cli/progress/json-schema.ts'
import { settingsJsonSchema } from '../src/engine/settings/schema.ts'
import { stepsHeader, stepsSchema } from '../src/runtime/steps.ts'
import { attributePaths } from '../src/stack/attributes.ts'
import { stackSchema } from '../src/stack/json-schema.ts'
import { supportTable } from '../src/targets/engine/support.ts'
import { openapi } from './openapi.ts'

/** Path from the project's root → content, newline at the end. */
export function generated(): ReadonlyMap<string, string> {
  const json = (value: object): string => `${JSON.stringify(value, null, 1)}\n`
  return new Map([
    ['native/steps.h', stepsHeader()],
    ['schemas/steps.json', json(stepsSchema())],
    ['schemas/engine.openapi.json', json(openapi())],
    ['schemas/progress.schema.json', json(progressSchema())],
    ['schemas/engine-settings.schema.json', json(settingsJsonSchema())],
    ['schemas/stack.schema.json', json(stackSchema(supportTable(attributePaths())))],
  ])
}

export function pathOf(name: string): string {
  return fileURLToPath(new URL(`../${name}`, import.meta.url))
}

if (import.meta.main) {
  for (const [name, content] of generated()) {
    let before = ''
    try {
      before = readFileSync(pathOf(name), 'utf8')
    } catch {
      // the first time it is not there
    }
    if (before === content) continue
    writeFileSync(pathOf(name), content)
    console.log(`wrote ${name}`)
  }
}
