// kafkajs 2.2.4 and, from the same code, 1.16.0: the widespread pure JavaScript client. It sends old
// protocol versions only. Called by `run` as: node suites/kafkajs.js --bootstrap HOST:PORT [--only NAME]

const assert = require('node:assert/strict')
const { parseArgs } = require('node:util')
const lz4 = require('lz4-napi')
const zstd = require('@bokuweb/zstd-wasm')
const SnappyCodec = require('kafkajs-snappy')

const { values: args } = parseArgs({
  options: { bootstrap: { type: 'string' }, only: { type: 'string', default: '' } },
})
const CASE_DEADLINE_MS = 120_000
const GENERATIONS = { 'kafkajs-2.2': require('kafkajs'), 'kafkajs-1.16': require('kafkajs-1.16') }

let names = 0
const unique = prefix => `${prefix}-${process.pid}-${Date.now()}-${++names}`
const range = count => [...Array(count).keys()]
const text = buffer => (buffer === null ? null : buffer.toString())
const later = ms => new Promise(resolve => setTimeout(resolve, ms))

async function until(condition, what, deadlineMs = 60_000) {
  for (const end = Date.now() + deadlineMs; ; await later(20)) {
    const result = await condition()
    if (result) return result
    if (Date.now() > end) throw new Error(`${what}: not so after ${deadlineMs} ms`)
  }
}

function addCodecs({ CompressionTypes, CompressionCodecs }) {
  CompressionCodecs[CompressionTypes.Snappy] = SnappyCodec
  CompressionCodecs[CompressionTypes.LZ4] = () => ({
    compress: async encoder => lz4.compressFrame(encoder.buffer),
    decompress: async buffer => lz4.decompressFrame(buffer),
  })
  CompressionCodecs[CompressionTypes.ZSTD] = () => ({
    compress: async encoder => Buffer.from(zstd.compress(encoder.buffer)),
    decompress: async buffer => Buffer.from(zstd.decompress(buffer)),
  })
}

// ---- one client under test, and the little it takes to use it

class Client {
  constructor(library) {
    this.library = library
    this.kafka = new library.Kafka({
      brokers: [args.bootstrap],
      clientId: 'conformance',
      logLevel: library.logLevel.NOTHING,
      retry: { initialRetryTime: 50, retries: 20 },
    })
    this.admin = this.kafka.admin()
  }

  async newTopic(numPartitions = 4, configEntries = []) {
    const topic = unique('kjs')
    await this.admin.createTopics({ topics: [{ topic, numPartitions, replicationFactor: 1, configEntries }] })
    return topic
  }

  async send(topic, messages, options = {}, producerOptions = {}) {
    const producer = this.kafka.producer(producerOptions)
    await producer.connect()
    const result = await producer.send({ topic, messages, ...options })
    await producer.disconnect()
    return result
  }

  /** A group member; `messages` grows while it runs. */
  async member(topics, groupId, options = {}) {
    const consumer = this.kafka.consumer({
      groupId,
      sessionTimeout: 10_000,
      heartbeatInterval: 300,
      rebalanceTimeout: 10_000,
      maxWaitTimeInMs: 200,
      ...options,
    })
    const member = { consumer, messages: [], partitions: [], leave: () => consumer.disconnect() }
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      member.partitions = Object.values(payload.memberAssignment).flat()
    })
    await consumer.connect()
    for (const topic of topics) await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({
      eachMessage: async ({ topic, partition, message }) => {
        member.messages.push({ topic, partition, ...message })
      },
    })
    return member
  }

  async read(topic, count, options) {
    const member = await this.member([topic], unique('group'), options)
    await until(() => member.messages.length >= count, `${count} messages of ${topic}`)
    await member.leave()
    return member.messages
  }
}

async function settle(members, counts) {
  const shares = () => members.map(m => m.partitions.length).sort()
  await until(() => String(shares()) === String(counts), `assignment ${counts}`)
  const partitions = members.flatMap(m => m.partitions).sort()
  assert.deepEqual(partitions, range(counts.reduce((a, b) => a + b)), 'each partition has one owner')
}

// ---- the cases, each run by each generation

const cases = {
  async every_codec(client) {
    for (const [name, compression] of Object.entries(client.library.CompressionTypes)) {
      const topic = await client.newTopic(1)
      const values = range(1000).map(n => `${name} ${n} `.repeat(n % 30))
      await client.send(topic, values.map(value => ({ value })), { compression })
      const messages = await client.read(topic, values.length)
      assert.deepEqual(messages.map(m => text(m.value)), values, name)
    }
  },

  async keys_headers_nulls_and_timestamps(client) {
    const topic = await client.newTopic(1)
    const timestamp = '1700000000000'
    const sent = [
      { key: 'k', value: 'v', headers: { a: '1', empty: '' }, timestamp },
      { key: 'k', value: null, timestamp },
      { key: null, value: 'v', timestamp },
    ]
    await client.send(topic, sent)
    const got = await client.read(topic, sent.length)
    const shown = got.map(m => [text(m.key), text(m.value), m.timestamp])
    assert.deepEqual(shown, sent.map(m => [m.key, m.value, timestamp]))
    assert.deepEqual([text(got[0].headers.a), text(got[0].headers.empty)], ['1', ''])
    assert.deepEqual(got.map(m => m.offset), ['0', '1', '2'])
  },

  async every_acks(client) {
    const topic = await client.newTopic(1)
    const [warm] = await client.send(topic, [{ value: 'warm' }])
    assert.equal(warm.baseOffset, '0')
    for (const acks of [0, 1, -1]) await client.send(topic, [{ value: `acks ${acks}` }], { acks })
    const values = (await client.read(topic, 4)).map(m => text(m.value))
    assert.deepEqual(values.sort(), ['acks -1', 'acks 0', 'acks 1', 'warm'])
  },

  async idempotent_producer(client) {
    const topic = await client.newTopic(4)
    const producer = client.kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    for (const batch of range(50)) {
      const messages = range(40).map(n => ({ value: String(batch * 40 + n), partition: n % 4 }))
      await producer.send({ topic, messages })
    }
    await producer.disconnect()
    const messages = await client.read(topic, 2000)
    for (const partition of range(4)) {
      const got = messages.filter(m => m.partition === partition)
      assert.deepEqual(got.map(m => Number(m.value)), range(500).map(n => n * 4 + partition))
      assert.deepEqual(got.map(m => Number(m.offset)), range(500))
    }
  },

  async members_join_and_leave(client) {
    const topic = await client.newTopic(6)
    const values = range(600).map(String)
    await client.send(topic, values.map(value => ({ key: value, value })))
    const group = unique('group')
    const members = []
    const gone = []
    for (const counts of [[6], [3, 3], [2, 2, 2]]) {
      members.push(await client.member([topic], group))
      await settle(members, counts)
    }
    for (const counts of [[3, 3], [6]]) {
      gone.push(members.shift())
      await gone.at(-1).leave()
      await settle(members, counts)
    }
    const seen = () => new Set([...members, ...gone].flatMap(m => m.messages.map(x => text(x.value))))
    await until(() => seen().size === values.length, 'every message')
    await members[0].leave()
  },

  async offsets_are_committed_and_reset(client) {
    const topic = await client.newTopic(1)
    const groupId = unique('group')
    await client.send(topic, range(10).map(n => ({ value: String(n) })))
    const first = await client.member([topic], groupId)
    await until(() => first.messages.length === 10, 'ten messages')
    await first.leave()
    assert.equal(await committed(client, groupId, topic), '10')

    await client.admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: '7' }] })
    assert.equal(await committed(client, groupId, topic), '7')
    const again = await client.member([topic], groupId)
    await until(() => again.messages.length === 3, 'three messages')
    assert.deepEqual(again.messages.map(m => m.offset), ['7', '8', '9'])
    await again.leave()
  },

  async offsets_by_time(client) {
    const topic = await client.newTopic(1)
    const base = 1_700_000_000_000
    await client.send(topic, range(10).map(n => ({ value: 'x', timestamp: String(base + 1000 * n) })))
    const [ends] = await client.admin.fetchTopicOffsets(topic)
    assert.deepEqual([ends.low, ends.high], ['0', '10'])
    for (const [stamp, offset] of [[base, '0'], [base + 4500, '5'], [base + 9000, '9']]) {
      const [found] = await client.admin.fetchTopicOffsetsByTimestamp(topic, stamp)
      assert.equal(found.offset, offset, `time ${stamp - base}`)
    }
  },

  async groups_are_listed_and_described(client) {
    const topic = await client.newTopic(4)
    const group = unique('group')
    const members = [await client.member([topic], group), await client.member([topic], group)]
    await settle(members, [2, 2])
    const { groups } = await client.admin.listGroups()
    assert.ok(groups.some(g => g.groupId === group && g.protocolType === 'consumer'), 'listed')
    const describe = async () => (await client.admin.describeGroups([group])).groups[0]
    assert.deepEqual([(await describe()).state, (await describe()).members.length], ['Stable', 2])
    for (const member of members) await member.leave()
    assert.equal((await describe()).state, 'Empty')
  },

  async topics_are_created_described_and_deleted(client) {
    const topic = await client.newTopic(3)
    const count = async () => {
      const { topics } = await client.admin.fetchTopicMetadata({ topics: [topic] })
      return topics[0].partitions.length
    }
    assert.equal(await count(), 3)
    assert.equal(await client.admin.createTopics({ topics: [{ topic, numPartitions: 3 }] }), false, 'created twice')
    await client.admin.createPartitions({ topicPartitions: [{ topic, count: 5 }] })
    await until(async () => (await count()) === 5, 'five partitions')
    assert.ok((await client.admin.listTopics()).includes(topic), 'listed')
    await client.admin.deleteTopics({ topics: [topic] })
    await until(async () => !(await client.admin.listTopics()).includes(topic), 'the topic to go')
  },

  async topic_configs_are_read_and_changed(client) {
    const topic = await client.newTopic(1, [{ name: 'retention.ms', value: '3600000' }])
    const { ConfigResourceTypes, RESOURCE_TYPES } = client.library
    const type = ConfigResourceTypes?.TOPIC ?? RESOURCE_TYPES?.TOPIC ?? 2
    const value = async name => {
      const asked = { resources: [{ type, name: topic }], includeSynonyms: false }
      const { resources } = await client.admin.describeConfigs(asked)
      return resources[0].configEntries.find(entry => entry.configName === name).configValue
    }
    assert.equal(await value('retention.ms'), '3600000')
    // kafkajs has the old AlterConfigs only: what is not named goes back to its default.
    const configEntries = [{ name: 'max.message.bytes', value: '2000000' }]
    await client.admin.alterConfigs({ validateOnly: false, resources: [{ type, name: topic, configEntries }] })
    await until(async () => (await value('max.message.bytes')) === '2000000', 'AlterConfigs')
    assert.equal(await value('retention.ms'), '604800000')
  },

  async records_and_groups_are_deleted(client) {
    const topic = await client.newTopic(1)
    await client.send(topic, [...Array(5)].map((_, n) => ({ value: `${n}` })))
    // Only with it the admin client knows the topic's leader.
    await client.admin.fetchTopicOffsets(topic)
    await client.admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '3' }] })
    const [ends] = await client.admin.fetchTopicOffsets(topic)
    assert.deepEqual([ends.low, ends.high], ['3', '5'])
    const groupId = unique('group')
    await client.admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: '4' }] })
    const deleted = await client.admin.deleteGroups([groupId])
    assert.deepEqual(deleted.map(group => [group.groupId, group.errorCode]), [[groupId, 0]])
    await assert.rejects(client.admin.deleteGroups([groupId]), /DeleteGroups/)
  },

  async the_cluster_is_described(client) {
    const cluster = await client.admin.describeCluster()
    assert.equal(cluster.brokers.length, 1)
    assert.equal(`${cluster.brokers[0].host}:${cluster.brokers[0].port}`, args.bootstrap)
    assert.equal(cluster.controller, cluster.brokers[0].nodeId)
    assert.ok(cluster.clusterId, 'cluster id')
  },
}

async function committed(client, groupId, topic) {
  // 1.16 takes one topic and answers its partitions; 2.x takes several and answers per topic.
  const answer = client.library === GENERATIONS['kafkajs-1.16']
    ? await client.admin.fetchOffsets({ groupId, topic })
    : (await client.admin.fetchOffsets({ groupId, topics: [topic] }))[0].partitions
  return answer.find(p => p.partition === 0).offset
}

async function main() {
  process.env.KAFKAJS_NO_PARTITIONER_WARNING = '1'
  await zstd.init()
  let passed = 0
  let failed = 0
  for (const [generation, library] of Object.entries(GENERATIONS)) {
    addCodecs(library)
    const client = new Client(library)
    await client.admin.connect()
    for (const [name, body] of Object.entries(cases)) {
      const title = `${generation}: ${name}`
      if (!title.includes(args.only)) continue
      const begin = Date.now()
      const error = await verdict(body(client))
      error ? failed++ : passed++
      if (error) console.log(`  ${error.stack}`)
      console.log(`${error ? 'FAIL' : 'ok  '} ${title} (${((Date.now() - begin) / 1000).toFixed(1)} s)`)
    }
    await client.admin.disconnect()
  }
  console.log(`${passed} passed, ${failed} failed`)
  process.exit(failed || !passed ? 1 : 0)
}

/** The error a case ended with, or undefined; a hung case counts as one. */
async function verdict(running) {
  let timer
  const deadline = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`more than ${CASE_DEADLINE_MS} ms`)), CASE_DEADLINE_MS)
  })
  try {
    await Promise.race([running, deadline])
  } catch (error) {
    return error
  } finally {
    clearTimeout(timer)
  }
}

main()
