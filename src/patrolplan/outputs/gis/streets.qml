<qgis version="3.22.0-Białowieża" labelsEnabled="1" styleCategories="Symbology|Labeling|Fields|Forms|Temporal">
 <renderer-v2 type="categorizedSymbol" attr="highway" symbollevels="1">
  <categories>
{% for street in streets %}
{% if street.highways %}
   <category symbol="{{ loop.index0 }}" label="{{ street.words }}" render="true" type="List">
{% for kind in street.highways %}
    <val type="string" value="{{ kind }}" />
{% endfor %}
   </category>
{% else %}
   <category symbol="{{ loop.index0 }}" label="{{ street.words }}" render="true" type="string" value="" />
{% endif %}
{% endfor %}
  </categories>
  <symbols>
   <symbol name="0" type="line" alpha="1">
    <layer class="SimpleLine" enabled="1" locked="0" pass="5">
     <Option type="Map">
      <Option name="line_color" value="122,122,122,255" type="QString" />
      <Option name="line_width" value="1.5" type="QString" />
      <Option name="line_width_unit" value="RenderMetersInMapUnits" type="QString" />
      <Option name="capstyle" value="flat" type="QString" />
      <Option name="joinstyle" value="round" type="QString" />
      <Option name="use_custom_dash" value="1" type="QString" />
      <Option name="customdash" value="2;1.2" type="QString" />
      <Option name="width_map_unit_scale" value="3x:0,0,1,0.047037,1,0.3175" type="QString" />
     </Option>
    </layer>
   </symbol>
   <symbol name="1" type="line" alpha="1">
    <layer class="SimpleLine" enabled="1" locked="0" pass="1">
     <Option type="Map">
      <Option name="line_color" value="140,140,140,255" type="QString" />
      <Option name="line_width" value="5.625" type="QString" />
      <Option name="line_width_unit" value="RenderMetersInMapUnits" type="QString" />
      <Option name="capstyle" value="round" type="QString" />
      <Option name="joinstyle" value="round" type="QString" />
      <Option name="width_map_unit_scale" value="3x:0,0,1,0.15875,1,1.48167" type="QString" />
     </Option>
    </layer>
    <layer class="SimpleLine" enabled="1" locked="0" pass="6">
     <Option type="Map">
      <Option name="line_color" value="255,255,255,255" type="QString" />
      <Option name="line_width" value="4.5" type="QString" />
      <Option name="line_width_unit" value="RenderMetersInMapUnits" type="QString" />
      <Option name="capstyle" value="round" type="QString" />
      <Option name="joinstyle" value="round" type="QString" />
      <Option name="width_map_unit_scale" value="3x:0,0,1,0.105833,1,1.23472" type="QString" />
     </Option>
    </layer>
   </symbol>
   <symbol name="2" type="line" alpha="1">
    <layer class="SimpleLine" enabled="1" locked="0" pass="2">
     <Option type="Map">
      <Option name="line_color" value="140,140,140,255" type="QString" />
      <Option name="line_width" value="12.5" type="QString" />
      <Option name="line_width_unit" value="RenderMetersInMapUnits" type="QString" />
      <Option name="capstyle" value="round" type="QString" />
      <Option name="joinstyle" value="round" type="QString" />
      <Option name="width_map_unit_scale" value="3x:0,0,1,0.282222,1,3.38667" type="QString" />
     </Option>
    </layer>
    <layer class="SimpleLine" enabled="1" locked="0" pass="7">
     <Option type="Map">
      <Option name="line_color" value="255,255,255,255" type="QString" />
      <Option name="line_width" value="10" type="QString" />
      <Option name="line_width_unit" value="RenderMetersInMapUnits" type="QString" />
      <Option name="capstyle" value="round" type="QString" />
      <Option name="joinstyle" value="round" type="QString" />
      <Option name="width_map_unit_scale" value="3x:0,0,1,0.188148,1,2.82222" type="QString" />
     </Option>
    </layer>
   </symbol>
   <symbol name="3" type="line" alpha="1">
    <layer class="SimpleLine" enabled="1" locked="0" pass="3">
     <Option type="Map">
      <Option name="line_color" value="140,140,140,255" type="QString" />
      <Option name="line_width" value="15" type="QString" />
      <Option name="line_width_unit" value="RenderMetersInMapUnits" type="QString" />
      <Option name="capstyle" value="round" type="QString" />
      <Option name="joinstyle" value="round" type="QString" />
      <Option name="width_map_unit_scale" value="3x:0,0,1,0.388056,1,4.02167" type="QString" />
     </Option>
    </layer>
    <layer class="SimpleLine" enabled="1" locked="0" pass="8">
     <Option type="Map">
      <Option name="line_color" value="253,246,216,255" type="QString" />
      <Option name="line_width" value="12" type="QString" />
      <Option name="line_width_unit" value="RenderMetersInMapUnits" type="QString" />
      <Option name="capstyle" value="round" type="QString" />
      <Option name="joinstyle" value="round" type="QString" />
      <Option name="width_map_unit_scale" value="3x:0,0,1,0.258704,1,3.35139" type="QString" />
     </Option>
    </layer>
   </symbol>
   <symbol name="4" type="line" alpha="1">
    <layer class="SimpleLine" enabled="1" locked="0" pass="4">
     <Option type="Map">
      <Option name="line_color" value="140,140,140,255" type="QString" />
      <Option name="line_width" value="18.75" type="QString" />
      <Option name="line_width_unit" value="RenderMetersInMapUnits" type="QString" />
      <Option name="capstyle" value="round" type="QString" />
      <Option name="joinstyle" value="round" type="QString" />
      <Option name="width_map_unit_scale" value="3x:0,0,1,0.47625,1,4.65667" type="QString" />
     </Option>
    </layer>
    <layer class="SimpleLine" enabled="1" locked="0" pass="9">
     <Option type="Map">
      <Option name="line_color" value="244,223,162,255" type="QString" />
      <Option name="line_width" value="15" type="QString" />
      <Option name="line_width_unit" value="RenderMetersInMapUnits" type="QString" />
      <Option name="capstyle" value="round" type="QString" />
      <Option name="joinstyle" value="round" type="QString" />
      <Option name="width_map_unit_scale" value="3x:0,0,1,0.3175,1,3.88056" type="QString" />
     </Option>
    </layer>
   </symbol>
  </symbols>
 </renderer-v2>
 <labeling type="simple">
  <settings calloutType="simple">
   <text-style fieldName="name" isExpression="0" fontSize="7" fontSizeUnit="Point" fontWeight="50" namedStyle="" textColor="64,64,64,255" textOpacity="1">
    <text-buffer bufferDraw="1" bufferSize="0.8" bufferSizeUnits="MM" bufferOpacity="1" bufferColor="255,255,255,255" />
   </text-style>
   <text-format autoWrapLength="0" useMaxLineLengthForAutoWrap="1" multilineAlign="1" />
   <placement placement="3" placementFlags="9" predefinedPositionOrder="R,L,TR,TL,BR,BL,T,B" priority="3" dist="0" distUnits="MM" offsetType="1" repeatDistance="90" repeatDistanceUnits="MM" maxCurvedCharAngleIn="25" maxCurvedCharAngleOut="-25" />
   <rendering scaleVisibility="1" scaleMin="0" scaleMax="9000" mergeLines="1" obstacle="1" obstacleFactor="2" drawLabels="1" minFeatureSize="0" />
  </settings>
 </labeling>
</qgis>
