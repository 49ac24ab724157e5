// Asks the emulator at argv[2] through @google/genai, found in the folder argv[3], and prints what it read as JSON.

import {createRequire} from 'node:module';
import {join} from 'node:path';

const [, , baseUrl, folder] = process.argv;
const {GoogleGenAI} = createRequire(join(folder, 'node_modules', 'here.js'))('@google/genai');
const ai = new GoogleGenAI({apiKey: 'any', httpOptions: {baseUrl}});
const model = 'gemini-3.8-flash';
const contents = 'Why is the sky blue?';
const read = {};

const reply = await ai.models.generateContent({model, contents});
read.unary = {text: reply.text, finish: reply.candidates[0].finishReason, tokens: reply.usageMetadata.promptTokenCount};

const texts = [];
for await (const chunk of await ai.models.generateContentStream({model, contents})) texts.push(chunk.text);
read.stream = {chunks: texts.length, text: texts.join('')};

const tools = [{functionDeclarations: [{name: 'weather', parametersJsonSchema: {type: 'object'}}]}];
const toolConfig = {functionCallingConfig: {mode: 'ANY'}};
const called = await ai.models.generateContent({model, contents, config: {tools, toolConfig}});
read.call = called.functionCalls[0].name;

const responseSchema = {type: 'OBJECT', properties: {pages: {type: 'INTEGER', minimum: 10}}, required: ['pages']};
const config = {responseMimeType: 'application/json', responseSchema};
read.schema = JSON.parse((await ai.models.generateContent({model, contents, config})).text);

read.counted = (await ai.models.countTokens({model, contents})).totalTokens;
const embedding = {model: 'gemini-embedding-001', contents: ['one', 'two'], config: {outputDimensionality: 8}};
read.embedded = (await ai.models.embedContent(embedding)).embeddings.map((one) => one.values.length);

const file = await ai.files.upload({
  file: new Blob([new Uint8Array(32000)], {type: 'audio/mpeg'}),
  config: {mimeType: 'audio/mpeg', displayName: 'Waves'},
});
const parts = [{fileData: {fileUri: file.uri, mimeType: file.mimeType}}, {text: contents}];
const heard = await ai.models.generateContent({model, contents: [{role: 'user', parts}]});
read.file = {state: file.state, size: file.sizeBytes, details: heard.usageMetadata.promptTokensDetails};
await ai.files.delete({name: file.name});

const long = 'about harbours '.repeat(2000);
const cache = await ai.caches.create({model, config: {contents: long, ttl: '60s'}});
const cheap = await ai.models.generateContent({model, contents, config: {cachedContent: cache.name}});
read.cache = {made: cache.usageMetadata.totalTokenCount, used: cheap.usageMetadata.cachedContentTokenCount};
await ai.caches.delete({name: cache.name});

async function failure(script) {
  try {
    const httpOptions = {headers: {'x-emulate': script}};
    const stream = await ai.models.generateContentStream({model, contents, config: {httpOptions}});
    for await (const chunk of stream) void chunk;
    return null;
  } catch (error) {
    return error.status;
  }
}
read.errors = [await failure('fault=quota_rpm'), await failure('fault=unavailable'), await failure('words=5')];

console.log(JSON.stringify(read));
