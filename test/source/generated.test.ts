/** What is generated is what would be generated now. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { generated, pathOf } from '../../schemas/generate.ts'

for (const [name, content] of generated()) {
  test(`${name} is fresh`, () => {
    assert.ok(readFileSync(pathOf(name), 'utf8') === content, `${name} is stale: npm run generate`)
  })
}
