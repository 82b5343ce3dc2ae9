import 'reflect-metadata'
import { Controller, Get, Injectable, Module } from '@nestjs/common'
import { Test } from '@nestjs/testing'
import request from 'supertest'
import type { App } from 'supertest/types.js'
import { versionOf } from '../../matrix/resolved-version.js'

const NEST = [
  '@nestjs/common',
  '@nestjs/core',
  '@nestjs/platform-express',
  '@nestjs/platform-fastify',
  '@nestjs/graphql',
  '@nestjs/microservices',
]

it.each(NEST)('runs on the version of %s that this project asks for', (name) => {
  const version = versionOf(require.resolve(name), name)
  process.stdout.write(`${MATRIX.project}: ${name} ${version}\n`)
  expect(version).toBe(MATRIX.versions[name])
})

@Injectable()
class Greeting {
  text(): string {
    return 'hello'
  }
}

@Controller()
class GreetingController {
  constructor(private readonly greeting: Greeting) {}

  @Get()
  greet(): string {
    return this.greeting.text()
  }
}

@Module({ controllers: [GreetingController], providers: [Greeting] })
class GreetingModule {}

it('injects by the decorator metadata that the test compiler emits', async () => {
  const module = await Test.createTestingModule({ imports: [GreetingModule] }).compile()
  const app = module.createNestApplication({ logger: false })
  await app.init()
  await request(app.getHttpServer() as App)
    .get('/')
    .expect(200, 'hello')
  await app.close()
})
