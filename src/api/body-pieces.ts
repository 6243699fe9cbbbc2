/** What the schemas of JSON bodies are made of; each schema stands with its endpoint. */
import { z } from 'zod'
import * as containers from './container-schema.ts'
import * as shapes from './json-shape.ts'

export const bodyPieces = { z, ...shapes, ...containers } as const
export type BodyPieces = typeof bodyPieces
