/// The rows of the provider's price feed as of 2026-10, retold apart from the catalogue: name, credits, unit.
enum PriceFeed {
    static let rows = """
        black forest labs flux 2 flex / text to image 1k	14	image
        black forest labs flux 2 flex / text to image 2k	24	image
        black forest labs flux 2 flex / image to image 1k	14	image
        black forest labs flux 2 flex / image to image 2k	24	image
        black forest labs flux 2 pro / text to image 1k	5	image
        black forest labs flux 2 pro / text to image 2k	7	image
        black forest labs flux 2 pro / image to image 1k	5	image
        black forest labs flux 2 pro / image to image 2k	7	image
        black forest labs flux1 kontext / pro	5	image
        black forest labs flux1 kontext / max	10	image
        openai 4o image / text to image	6	image
        google nano banana	4	image
        google nano banana edit	4	image
        google nano banana 2 / 1k	8	image
        google nano banana 2 / 2k	12	image
        google nano banana 2 / 4k	18	image
        nano banana 2 lite / 1k	4	image
        google nano banana pro / 1-2k	18	image
        google nano banana pro / 4k	24	image
        google imagen4 / fast	4	image
        google imagen4 / default	8	image
        google imagen4 / ultra	12	image
        gpt image 1.5 / medium	4	image
        gpt image 1.5 / high	22	image
        gpt image 2 / 1k	6	image
        gpt image 2 / 2k	10	image
        gpt image 2 / 4k	16	image
        gpt image 2 5 flare / 1k	6	image
        gpt image 2 5 flare / 2k	10	image
        gpt image 2 5 flare / 4k	16	image
        gpt image 2 5 sunburst / 1k	6	image
        gpt image 2 5 sunburst / 2k	10	image
        gpt image 2 5 sunburst / 4k	16	image
        seedream 4.5	6.5	image
        seedream 5.0 lite	5.5	image
        seedream 5 pro / 1k	7	image
        seedream 5 pro / 2k	14	image
        seedream 5 pro / extra input image after first	0.5	image
        seedream 5 pro / layer decomposition 1k/1.5k	7	image
        seedream 5 pro / layer decomposition 2k	14	image
        qwen z image	0.8	image
        qwen image / text to image	4	megapixel
        qwen image / image to image	4	megapixel
        qwen image / edit	5	megapixel
        qwen2 image edit	5.6	image
        qwen image 2.1 / 1k	4	image
        qwen image 2.1 / 2k	8	image
        qwen image 3.0	4.8	image
        qwen image 3.0 / input image	0.5	image
        qwen image 3.0 pro / 1k	6.4	image
        qwen image 3.0 pro / 2k	12	image
        qwen image 3.0 pro / input image	0.5	image
        grok imagine image 2 0	4	image
        grok imagine image / text to image (2 images)	4	generation
        grok imagine image / quality mode	5	generation
        grok imagine image / image to image	4	generation
        ideogram v3 (text/edit/remix/reframe) / turbo	3.5	image
        ideogram v3 (text/edit/remix/reframe) / balanced	7	image
        ideogram v3 (text/edit/remix/reframe) / quality	10	image
        ideogram character (base/edit/remix) / turbo	12	image
        ideogram character (base/edit/remix) / balanced	18	image
        ideogram character (base/edit/remix) / quality	24	image
        wan 2.7 image	4.8	image
        wan 2.7 image pro	12	image
        recraft remove background	1	image
        recraft crisp upscale	0.5	image
        topaz image upscaler / 2k	10	image
        topaz image upscaler / 4k	20	image
        kling 2.1 / standard 5s	25	video
        kling 2.1 / standard 10s	50	video
        kling 2.1 / pro 5s	50	video
        kling 2.1 / pro 10s	100	video
        kling 2.1 / master 5s	160	video
        kling 2.1 / master 10s	320	video
        kling 2.5 turbo pro / 5s	42	video
        kling 2.5 turbo pro / 10s	84	video
        kling 2.6 / 5s silent	55	video
        kling 2.6 / 5s audio	110	video
        kling 2.6 / 10s silent	110	video
        kling 2.6 / 10s audio	220	video
        kling 2.6 motion control / 720p	11	second
        kling 2.6 motion control / 1080p	18	second
        kling 3.0 / 720p silent	14	second
        kling 3.0 / 720p audio	20	second
        kling 3.0 / 1080p silent	18	second
        kling 3.0 / 1080p audio	27	second
        kling 3.0 / 4k	67	second
        kling 3.0 turbo / 720p	18	second
        kling 3.0 turbo / 1080p	22.5	second
        kling 3.0 motion control / 720p	20	second
        kling 3.0 motion control / 1080p	27	second
        kling ai avatar / standard 720p	8	second
        kling ai avatar / pro 1080p	16	second
        bytedance seedance 1.5 pro / 480p silent	1.75	second
        bytedance seedance 1.5 pro / 480p audio	3.5	second
        bytedance seedance 1.5 pro / 720p silent	3.5	second
        bytedance seedance 1.5 pro / 720p audio	7	second
        bytedance seedance 1.5 pro / 1080p silent	7.5	second
        bytedance seedance 1.5 pro / 1080p audio	15	second
        bytedance seedance 2 / 480p	19	second
        bytedance seedance 2 / 480p video-in	11.5	second
        bytedance seedance 2 / 720p	41	second
        bytedance seedance 2 / 720p video-in	25	second
        bytedance seedance 2 / 1080p	102	second
        bytedance seedance 2 / 1080p video-in	62	second
        bytedance seedance 2 / 4k	208	second
        bytedance seedance 2 / 4k video-in	128	second
        bytedance seedance 2 fast / 480p	11.7	second
        bytedance seedance 2 fast / 480p video-in	6.8	second
        bytedance seedance 2 fast / 720p	24.8	second
        bytedance seedance 2 fast / 720p video-in	15	second
        bytedance seedance 2 mini / 480p	3.8	second
        bytedance seedance 2 mini / 480p video-in	2.4	second
        bytedance seedance 2 mini / 720p	8.2	second
        bytedance seedance 2 mini / 720p video-in	5	second
        bytedance seedance 2 5 / 480p	28	second
        bytedance seedance 2 5 / 480p video-in	17	second
        bytedance seedance 2 5 / 720p	63	second
        bytedance seedance 2 5 / 720p video-in	38	second
        bytedance seedance 2 5 / 1080p	158	second
        bytedance seedance 2 5 / 1080p video-in	95	second
        wan 2.2 a14b turbo (t2v/i2v) / 5s 480p	40	video
        wan 2.2 a14b turbo (t2v/i2v) / 5s 580p	60	video
        wan 2.2 a14b turbo (t2v/i2v) / 5s 720p	80	video
        wan 2.2 animate (move/replace) / 480p	6	second
        wan 2.2 animate (move/replace) / 580p	9.5	second
        wan 2.2 animate (move/replace) / 720p	12.5	second
        wan 2.2 a14b speech to video / 480p	12	second
        wan 2.2 a14b speech to video / 580p	18	second
        wan 2.2 a14b speech to video / 720p	24	second
        wan 2.5 / 5s 720p	60	video
        wan 2.5 / 10s 720p	120	video
        wan 2.5 / 5s 1080p	100	video
        wan 2.5 / 10s 1080p	200	video
        wan 2.6 / 5s 720p	70	video
        wan 2.6 / 10s 720p	140	video
        wan 2.6 / 15s 720p	210	video
        wan 2.6 / 5s 1080p	104.5	video
        wan 2.6 / 10s 1080p	209.5	video
        wan 2.6 / 15s 1080p	315	video
        wan 2.7 video / 720p	16	second
        wan 2.7 video / 1080p	24	second
        wan 3.0 video / 480p	8	second
        wan 3.0 video / 720p	16	second
        wan 3.0 video / 1080p	32	second
        wan3.0 video prime / 480p	12.2	second
        wan3.0 video prime / 720p	25.2	second
        wan3.0 video prime / 1080p	50.4	second
        hailuo 02 / std i2v 512p 6s	12	video
        hailuo 02 / std i2v 512p 10s	20	video
        hailuo 02 / std 768p 6s	30	video
        hailuo 02 / std 768p 10s	50	video
        hailuo 02 / pro 1080p 6s	57	video
        hailuo 2.3 i2v / std 768p 6s	30	video
        hailuo 2.3 i2v / std 768p 10s	50	video
        hailuo 2.3 i2v / std 1080p 6s	50	video
        hailuo 2.3 i2v / pro 768p 6s	45	video
        hailuo 2.3 i2v / pro 768p 10s	90	video
        hailuo 2.3 i2v / pro 1080p 6s	80	video
        grok imagine video / 480p	2.4	second
        grok imagine video / 720p	4.5	second
        grok imagine video / 1080p	8	second
        grok imagine video 1 5 preview / 480p	2.4	second
        grok imagine video 1 5 preview / 720p	4.5	second
        grok imagine extend / 6s 480p	14.4	video
        grok imagine extend / 6s 720p	27	video
        grok imagine extend / 10s 480p	24	video
        grok imagine extend / 10s 720p	45	video
        grok imagine upscale / 360p-720p	10	upscale
        grok imagine upscale / 720p-1080p	20	upscale
        grok imagine upscale / 480p-1080p	30	upscale
        google veo 3.1 / lite 720p	30	video
        google veo 3.1 / lite 1080p	35	video
        google veo 3.1 / lite 4k	150	video
        google veo 3.1 / fast 720p	60	video
        google veo 3.1 / fast 1080p	65	video
        google veo 3.1 / fast 4k	180	video
        google veo 3.1 / quality 720p	250	video
        google veo 3.1 / quality 1080p	255	video
        google veo 3.1 / quality 4k t2v	380	video
        google veo 3.1 / quality 4k i2v	370	video
        google veo 3.1 / extend lite	30	video
        google veo 3.1 / extend fast	60	video
        google veo 3.1 / extend quality	250	video
        google veo 3.1 / get 1080p	5	video
        google veo 3.1 / get 4k	120	video
        gemini omni video / omni flash 1.1 / 4s 720/1080p	63	video
        gemini omni video / omni flash 1.1 / 6s	84	video
        gemini omni video / omni flash 1.1 / 8s	105	video
        gemini omni video / omni flash 1.1 / 10s	126	video
        gemini omni video / omni flash 1.1 / 4s 4k	147	video
        gemini omni video / omni flash 1.1 / 6s 4k	168	video
        gemini omni video / omni flash 1.1 / 8s 4k	189	video
        gemini omni video / omni flash 1.1 / 10s 4k	210	video
        gemini omni video / omni flash 1.1 / with video input 720/1080p	168	video
        gemini omni video / omni flash 1.1 / with video input 4k	252	video
        minimax h3 / 768p	8	second
        minimax h3 / 2k	13	second
        minimax h3 / input image	4	second
        happyhorse 1.0 / 720p	28	second
        happyhorse 1.0 / 1080p	48	second
        happyhorse 1.1 / 720p	22.5	second
        happyhorse 1.1 / 1080p	29	second
        pixverse v6 t2v/i2v/extend / 360p	4	second
        pixverse v6 t2v/i2v/extend / 360p audio	5.6	second
        pixverse v6 t2v/i2v/extend / 540p	5.6	second
        pixverse v6 t2v/i2v/extend / 540p audio	7.2	second
        pixverse v6 t2v/i2v/extend / 720p	7.2	second
        pixverse v6 t2v/i2v/extend / 720p audio	9.6	second
        pixverse v6 t2v/i2v/extend / 1080p	14.4	second
        pixverse v6 t2v/i2v/extend / 1080p audio	18.4	second
        pixverse v6 reference / 360p	4.5	second
        pixverse v6 reference / 360p audio	6.3	second
        pixverse v6 reference / 540p	6.3	second
        pixverse v6 reference / 540p audio	8.1	second
        pixverse v6 reference / 720p	8.1	second
        pixverse v6 reference / 720p audio	10.8	second
        pixverse v6 reference / 1080p	16.2	second
        pixverse v6 reference / 1080p audio	20.7	second
        infinitalk / 480p	3	second
        infinitalk / 720p	12	second
        omnihuman 1 5	27	second
        volcengine lip sync	8	second
        topaz video upscaler / 1x-2x	8	second
        topaz video upscaler / 4x	14	second
        runway / 5s 720p	12	video
        runway / 10s 720p	30	video
        runway / 5s 1080p	30	video
        runway aleph	110	video
        elevenlabs text to speech / turbo 2.5	6	1000 characters
        elevenlabs text to speech / multilingual v2	12	1000 characters
        elevenlabs v3 dialogue	14	1000 characters
        gemini tts 2.5 pro / 3.1 flash / audio output	2800	million tokens
        gemini tts 2.5 pro / 3.1 flash / input	140	million tokens
        suno / generate/extend/upload-cover/upload-extend/add-vocals/add-instrumental/mashup	12	request
        suno / sounds	2.5	request
        suno / replace section	5	request
        suno / lyrics	0.4	request
        suno / wav	0.4	request
        suno / style boost	0.4	request
        suno / timestamped lyrics	0.5	request
        suno / vocal separate	10	request
        suno / advanced split	20	request
        suno / multi stem	50	request
        suno / music video	2	request
        suno / midi/persona/cover image	0	request
        """
}
